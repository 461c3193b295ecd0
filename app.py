"""The only place where the parts meet: the Flask application and the `studionett` command."""
