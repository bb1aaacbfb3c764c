# SPDX-License-Identifier: Apache-2.0
"""Certificates for one run: an authority, another one that nobody trusts, and what they have signed."""
import os
import ssl
import subprocess

# WEIR_TEST_TLS=1: servers that are started offer TLS, gateways do, and so use it with them, and PyMySQL and the shell ask for it.
EVERYWHERE = bool(os.environ.get("WEIR_TEST_TLS"))

# The name of the file, the common name, the authority, and what makes it special.
SIGNED = (
    ("server", "server", "ca", ("subjectAltName=IP:127.0.0.1",), ()),
    ("named", "named", "ca", ("subjectAltName=DNS:db.example",), ()),
    ("client", "client", "ca", ("extendedKeyUsage=clientAuth",), ()),
    ("expired", "expired", "ca", ("subjectAltName=IP:127.0.0.1",), ("-not_before", "20200101000000Z", "-not_after", "20200102000000Z")),
    ("stranger", "stranger", "other-ca", ("subjectAltName=IP:127.0.0.1",), ()),
)


def make_certificates(folder):
    """Fills the folder with NAME.pem and NAME.key for each name above, and with both authorities'."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other-ca"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=test {name}", "-keyout",
                f"{name}.key", "-out", f"{name}.pem")
    for name, common_name, authority, extensions, times in SIGNED:
        (folder / f"{name}.ext").write_text("\n".join(extensions))
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/O=weir/CN={common_name}", "-keyout", f"{name}.key", "-out",
                f"{name}.csr")
        if times:
            _sign_with_dates(folder, openssl, name, authority, times)
        else:
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                    "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return folder


def _sign_with_dates(folder, openssl, name, authority, times):
    """`openssl x509` of Debian 12 cannot sign for the past; `openssl ca` can."""
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("77\n")
    (folder / "ca.conf").write_text("[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
                                    "policy=any\nunique_subject=no\n[any]\ncommonName=supplied\n")
    openssl("ca", "-batch", "-config", "ca.conf", "-cert", f"{authority}.pem", "-keyfile", f"{authority}.key", "-in", f"{name}.csr",
            "-extfile", f"{name}.ext", "-startdate", times[1].removeprefix("20"), "-enddate", times[3].removeprefix("20"), "-notext",
            "-out", f"{name}.pem")


def server_options(folder, name="server"):
    """Has a MariaDB server offer TLS."""
    return [f"--ssl-cert={folder / name}.pem", f"--ssl-key={folder / name}.key", f"--ssl-ca={folder / 'ca'}.pem"]


def unverified():
    """The context of a client that encrypts and asks nobody who he is."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
