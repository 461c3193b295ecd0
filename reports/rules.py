LATE = 60  # seconds
