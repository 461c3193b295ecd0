"""How the studios were used and how well they were, day by day, from what really happened."""
