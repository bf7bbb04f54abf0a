"""The sample wire: invented outlets with invented news, so that a newcomer hears a ring without a network."""
