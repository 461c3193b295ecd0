"""What is to be had when a studio is taken: waiting for time to come free, and asking others to move."""
