# SPDX-License-Identifier: Apache-2.0
"""The accounts that the cases log in as, made once in the private database."""
from .endpoint import DATABASE, PASSWORD, USER

STATEMENTS = [
    "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost')",
    "FLUSH PRIVILEGES",
    f"CREATE DATABASE {DATABASE}",
    # The cases' own account may do everything; those of the authentication cases next to nothing.
    f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'",
    f"GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION",
    "CREATE USER plain@'%' IDENTIFIED BY 'plain-secret'",
    "CREATE USER nopassword@'%'",
    "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed-secret')",
    "CREATE USER locked@'%' IDENTIFIED BY 'locked-secret' ACCOUNT LOCK",
    "CREATE USER expired@'%' IDENTIFIED BY 'expired-secret' PASSWORD EXPIRE",
    "CREATE USER two_ways@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed-secret') "
    "OR mysql_native_password USING PASSWORD('native-secret')",
    "CREATE USER limited@'%' IDENTIFIED BY 'limited-secret'",
    "CREATE USER refused@'%' IDENTIFIED BY 'refused-secret'",
    "CREATE USER held@'%' IDENTIFIED BY 'held-secret'",
    f"GRANT ALL ON {DATABASE}.* TO limited@'%', plain@'%', ed@'%', nopassword@'%', refused@'%', held@'%'",
    "CREATE ROLE reader",
    "CREATE ROLE writer",
    f"GRANT SELECT ON {DATABASE}.* TO reader",
    f"GRANT INSERT ON {DATABASE}.* TO writer",
    f"GRANT reader TO {USER}@'%', limited@'%'",
    f"GRANT writer TO {USER}@'%'",
]
