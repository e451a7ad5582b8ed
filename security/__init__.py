"""`make security`: everybody who must not get in is turned away, and everybody else still gets in."""
