"""The coordinator's page: a request as it stands on the form, and all that the page shows of it."""
