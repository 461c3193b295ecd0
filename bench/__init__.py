"""What the program costs, measured: `script/bench NAME`. The last line of a member is its figures as JSON."""
