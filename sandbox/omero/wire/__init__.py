"""The network side: the Ice adapter, the router that clients log in through, the certificate."""
