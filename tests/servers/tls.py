"""A private certificate authority for TLS tests, by the openssl command."""

import os
import subprocess


class Authority:
    """Signs server certificates. Files are named after the certificate: NAME.pem, NAME.key."""

    def __init__(self, directory, name="ca"):
        self.directory = directory
        self.certificate = os.path.join(directory, f"{name}.pem")
        self.key = os.path.join(directory, f"{name}.key")
        self._openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN=sluice test {name}"),
            *("-keyout", self.key, "-out", self.certificate),
        )

    @staticmethod
    def _openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", expired=False):
        """Makes a certificate for these subject names and returns (certificate, key)."""
        key, request, certificate = (self.path(f"{name}.{suffix}") for suffix in ("key", "csr", "pem"))
        extensions = self.path(f"{name}.ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
        common = names.split(",", maxsplit=1)[0].split(":", maxsplit=1)[1]
        self._openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={common}", "-keyout", key, "-out", request)
        )
        # `openssl x509` has no past end date in Debian 12; its `ca` command has, at the price of a database.
        database = self.path(f"{name}.db")
        open(database, "w", encoding="ascii").close()
        config = self.path(f"{name}.cnf")
        with open(config, "w", encoding="ascii") as file:
            file.write(
                f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}\nnew_certs_dir={self.directory}\nrand_serial=yes\n"
                "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
            )
        dates = ("20200101000000Z", "20200201000000Z") if expired else ("20200101000000Z", "20491231000000Z")
        self._openssl(
            *("ca", "-batch", "-config", config, "-cert", self.certificate, "-keyfile", self.key, "-in", request),
            *("-out", certificate, "-notext", "-extfile", extensions, "-startdate", dates[0], "-enddate", dates[1]),
        )
        return certificate, key
