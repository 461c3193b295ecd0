"""Every setting: its default, its environment name, its check."""
