"""An invented network to try Studionett with: places, people, a working day and the year before it."""
