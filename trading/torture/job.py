"""A database of its own for one job, and the seeds it works through."""

import gc
from collections.abc import Iterable
from typing import Any

import psycopg
from django.db import connection
from psycopg import RawCursor, sql

from portfolios.models import House, User
from trading.torture.planting import Plant
from trading.torture.run import Result, play

# Each statement is planned once per process, for tables that will have rows: most of the time of a run was planning.
PLANS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off"
PLANNED = {"server_side_binding": True, "prepare_threshold": 0, "options": PLANS}
KEPT = 1_000  # plans of a connection; psycopg keeps a hundred
AFRESH = 500  # runs after which the database is made anew, so that it stays small


def copy_database(address: dict[str, Any], template: str, name: str) -> None:
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        server.execute(words)


class Job:
    def __init__(self, address: dict[str, Any], template: str, name: str) -> None:
        self.address, self.template, self.name = address, template, name
        self.runs = 0

    def begin(self) -> None:
        """A fresh copy, and both ways into it."""
        connection.close()
        copy_database(self.address, self.template, self.name)
        connection.settings_dict |= {
            "NAME": self.name,
            "HOST": self.address["host"],
            "PORT": self.address["port"],
            "USER": self.address["user"],
            "PASSWORD": "",
        }
        connection.settings_dict["OPTIONS"] |= PLANNED
        connection.ensure_connection()
        connection.connection.prepared_max = KEPT
        self.judge = psycopg.connect(
            **self.address,
            dbname=self.name,
            autocommit=True,
            cursor_factory=RawCursor,
            prepare_threshold=0,
            options=PLANS,
        )
        self.owner = User.objects.create(username="torture")
        House.objects.get_or_create(pk=1)
        gc.collect()
        gc.freeze()  # what is here now stays: nobody needs to look at it again

    def work(self, seeds: Iterable[int], mutant: list[Plant] | None = None) -> Iterable[Result]:
        self.runs = 0 if mutant else self.runs  # the same seeds once more
        for seed in seeds:
            if self.runs % AFRESH == 0:
                self.begin()
            result = play(seed, self.owner, self.judge, mutant)
            self.runs = 0 if result.broken else self.runs + 1  # what is broken must not spoil the next
            yield result
