"""The network side: the Ice adapter, the router through which clients log in, the certificate."""
