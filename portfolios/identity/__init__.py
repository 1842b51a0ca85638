"""Who somebody is: sessions, and single sign-on through an OpenID provider, verified here and nowhere else."""
