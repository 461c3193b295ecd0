"""What the program withstands, tried for long: `script/soak NAME`. A member fails when one promise was broken."""
