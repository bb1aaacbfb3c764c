# SPDX-License-Identifier: Apache-2.0
"""Django with MySQLdb: migrations of a model, queries, transactions with savepoints, and sessions that the server has ended."""
import django
from django.conf import settings
from where import CA, DATABASE, GONE, HOST, IDLE, PASSWORD, PORT, RELEASE, USER, attempt, settle, show

WHERE = {"ENGINE": "django.db.backends.mysql", "HOST": HOST, "PORT": str(PORT), "USER": USER, "PASSWORD": PASSWORD, "NAME": DATABASE,
         "CONN_MAX_AGE": 60, "OPTIONS": {"charset": "utf8mb4"}}
settings.configure(DATABASES={"default": WHERE, "watcher": WHERE, "wrong": {**WHERE, "PASSWORD": "wrong"},
                              "tls": {**WHERE, "OPTIONS": {"ssl": {"ca": CA}}}},
                   DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=False,
                   INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"])
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, close_old_connections, connections, transaction  # noqa: E402
from django.db.models import Count, F  # noqa: E402


def fetch(alias, text, arguments=None):
    with connections[alias].cursor() as cursor:
        cursor.execute(text, arguments)
        return [list(row) for row in cursor.fetchall()] if cursor.description else cursor.rowcount


def models():
    call_command("migrate", verbosity=0)
    show("text", "migrated", fetch("default", "SHOW TABLES"))
    groups = Group.objects.bulk_create([Group(name=f"group {i} ä") for i in range(500)])
    show("bulk", len(groups), Group.objects.count())
    for i in range(20):
        user = User.objects.create_user(f"user{i}", f"u{i}@example.com")
        user.groups.set(Group.objects.order_by("name")[i:i + 5])
    show("text", list(User.objects.annotate(n=Count("groups")).filter(groups__name__contains="ä").distinct().order_by("id")
                      .values_list("username", "n")[:5]))
    show("text", User.objects.filter(id__lt=5).update(first_name=F("username")), list(User.objects.values_list("first_name", flat=True)[:6]))
    with transaction.atomic():
        try:
            with transaction.atomic():
                User.objects.create(username="user1")
        except IntegrityError as error:
            show("errors", error.args)
        show("errors", "after the savepoint", User.objects.count())
    attempt("errors", "syntax", lambda: fetch("default", "SELEC 1"))
    show("text", "introspected", [info.name for info in connections["default"].introspection.get_table_description(
        connections["default"].cursor(), "auth_user")])


def make_idle():
    for statement in IDLE:
        fetch("default", statement)
    fetch("watcher", GONE)
    fetch("watcher", RELEASE)
    settle()


attempt("login", "native", lambda: fetch("default", "SELECT USER(), CURRENT_USER(), DATABASE()"))
attempt("login", "wrong password", lambda: fetch("wrong", "SELECT 1"))
attempt("tls", "verified", lambda: fetch("tls", "SELECT 1"))
models()
make_idle()
attempt("reconnect", "within a request", lambda: fetch("default", "SELECT 1"))
close_old_connections()
attempt("reconnect", "in the next request", lambda: fetch("default", "SELECT 1"))
make_idle()
show("pool", "is_usable", connections["default"].is_usable())
connections["default"].close()
attempt("pool", "after close", lambda: fetch("default", "SELECT 1"))
