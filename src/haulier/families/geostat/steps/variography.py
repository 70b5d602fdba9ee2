"""Experimental variograms from pairs of samples; each becomes an object."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from haulier.core.family import PartResult
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import find_attribute
from haulier.families.geostat.io.experiments import (
    DIRECTIONS,
    LAGS,
    experiment_document,
    experiment_values,
    experimental_of,
    tables_of,
)
from haulier.families.geostat.io.objects import EXPERIMENTAL
from haulier.families.geostat.io.values import check_size
from haulier.families.geostat.method.experimental import (
    ExperimentalVariogram,
    experimental_variogram,
)
from haulier.families.geostat.method.lags import (
    Direction,
    Form,
    Lags,
    adjoining_lags,
    centred_lags,
    gstat_lags,
)
from haulier.families.geostat.params import variography as vario
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.objects import ObjectTask
from haulier.families.geostat.steps.outputs import Blobs
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import (
    SAMPLES,
    Counts,
    Further,
    Sampled,
    Wanted,
    counted,
    left_out,
    load_samples,
    read_samples,
    write_samples,
)
from haulier.families.geostat.steps.task import Finished, Prepared

V = TypeVar("V", bound=vario.ExperimentalVariogram | vario.VariogramFit)
WEIGHTS: Final = "weights"
MOST: Final = 1e100  # of values whose squares are added up
EXPERIMENT: Final = "experimental"


class PairTask(ObjectTask[V]):
    """A task that looks at pairs of samples."""

    noun = "samples"

    def read(self, job: Job[V], folder: Path, said: vario.Experiment, at: str) -> Prepared:
        """Read the samples, and make sure that the directions can be used."""
        source = job.object(f"{at}source.object")
        extra = {}
        if said.weights is not None:
            extra[WEIGHTS] = Further(source, said.weights, f"{at}weights")
        wanted = Wanted(
            source,
            said.source.attribute,
            f"{at}source.attribute",
            said.source.filter,
            f"{at}source.filter",
            extra,
        )
        sampled, counts = read_samples(job.context, wanted)
        check_size(sampled.values, at=wanted.at, most=MOST)
        directions_of(said, sampled, at)
        path = folder / "samples.arrow"
        write_samples(path, sampled)
        attribute = find_attribute(source, said.source.attribute, at=wanted.at)
        values = {
            "counts": msgspec.to_builtins(counts),
            "title": source.title,
            "attribute": attribute.name,
        }
        return Prepared(0, values, {SAMPLES: path})

    def measure(
        self, job: Job[V], said: vario.Experiment, at: str, share: float
    ) -> ExperimentalVariogram:
        """Sum up the pairs; `share` is how much of the whole work that is."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        samples = counted(len(sampled.rows), "sample")

        def report(fraction: float) -> None:
            job.context.report(fraction * share, f"compared pairs of {samples}")
            job.context.check()

        with refused_at(f"{at}directions"):
            return experimental_variogram(
                sampled.places,
                sampled.values,
                directions_of(said, sampled, at),
                estimator=said.estimator,
                weights=sampled.extra.get(WEIGHTS),
                holes=sampled.holes,
                report=report,
            )


def directions_of(said: vario.Experiment, sampled: Sampled, at: str) -> list[Direction]:
    """Give directions as methods take them.

    Raises:
        Problem: INVALID; drillholes are asked for where there are none, or lags are unfit.
    """
    if len(sampled.rows) < 2:  # noqa: PLR2004 -- a pair
        where = f"{at}source.attribute"
        detail = f"{where} must have two samples or more for a variogram, got {len(sampled.rows)}"
        raise Problem(Code.INVALID, detail, at=where)
    return [
        _direction(each, said.lags, sampled, f"{at}directions[{number}]")
        for number, each in enumerate(said.directions)
    ]


def _direction(
    said: vario.VariogramDirection, lags: vario.LagSettings, sampled: Sampled, at: str
) -> Direction:
    if said.type == "downhole" and sampled.holes is None:
        detail = f"{at}.type must not be 'downhole': the source has no drillholes"
        raise Problem(Code.INVALID, detail, at=f"{at}.type")
    with refused_at(at):
        return Direction(
            _lags(said.lags or lags, sampled),
            Form(said.type),
            said.azimuth,
            said.dip,
            said.azimuth_tolerance,
            said.dip_tolerance,
            math.inf if said.bandwidth is None else said.bandwidth,
            math.inf if said.bandheight is None else said.bandheight,
        )


def _lags(said: vario.LagSettings, sampled: Sampled) -> Lags:
    if said.edges is not None:
        return adjoining_lags(said.edges)
    if said.size is not None:
        return centred_lags(said.size, said.count, said.tolerance)
    return gstat_lags(sampled.places, said.count)


class ExperimentalTask(PairTask[vario.ExperimentalVariogram]):
    """An experimental variogram from samples."""

    verb = "compared"
    makes = EXPERIMENTAL
    word = "experimental_variogram"

    def prepare(self, job: Job[vario.ExperimentalVariogram], folder: Path) -> Prepared:
        """Read the samples."""
        self.where(job)
        return self.read(job, folder, job.params.experiment, "")

    def finish(
        self, job: Job[vario.ExperimentalVariogram], results: Mapping[str, PartResult]
    ) -> Finished:
        """Go over all pairs."""
        del results
        found = self.measure(job, job.params.experiment, "", 1.0)
        pairs = int(found.num_pairs.sum())
        if not pairs:
            detail = "lags must hold pairs of samples; no pair is in any of them: make lags longer"
            raise Problem(Code.INVALID, f"{detail}, or tolerances wider", at="lags")
        blobs = Blobs(job.context)
        directions, lags = tables_of(found)
        given = {DIRECTIONS: [blobs.add_table(directions)], LAGS: [blobs.add_table(lags)]}
        counts = msgspec.convert(job.said["counts"], Counts)
        what = f"{pairs:,} pairs of {counted(counts.used, 'sample')} of '{job.said['title']}'"
        said = [f"Compared {what} in {counted(len(found.value), 'lag')}.", *left_out(counts)]
        statistics = {
            "samples": counts.used,
            "pairs": pairs,
            "lags": len(found.value),
            "lags_without_pairs": int((found.num_pairs == 0).sum()),
            "variance": found.variance,
        }
        told = {"message": " ".join(said), "statistics": statistics}
        return Finished(given, {**told, EXPERIMENT: experiment_values(found)})

    def document(
        self, job: Job[vario.ExperimentalVariogram], done: Mapping[str, Any], name: str
    ) -> dict[str, Any]:
        """Give the document."""
        infos = {table: done["blobs"][table][0]["info"] for table in (DIRECTIONS, LAGS)}
        found = experimental_of(done[EXPERIMENT])
        return experiment_document(found, infos, name=name, attribute=job.said["attribute"])
