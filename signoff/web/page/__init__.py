"""The built page as the door serves it: `bundle`."""
