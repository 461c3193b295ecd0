"""What programs ask of monitoring."""
