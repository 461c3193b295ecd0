"""Finding a time: when can these parties meet, in which studios, and if they cannot, what is in the way."""
