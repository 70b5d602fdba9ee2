"""Experimental variograms, and models fitted to them; each becomes an object."""

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
    load_experimental,
    tables_of,
)
from haulier.families.geostat.io.objects import EXPERIMENTAL, VARIOGRAM
from haulier.families.geostat.io.variograms import variogram_document
from haulier.families.geostat.method.experimental import (
    ExperimentalVariogram,
    experimental_variogram,
)
from haulier.families.geostat.method.fit import Fit, fit_variogram
from haulier.families.geostat.method.lags import (
    Direction,
    Form,
    Lags,
    adjoining_lags,
    centred_lags,
    gstat_lags,
)
from haulier.families.geostat.method.unknowns import Candidate
from haulier.families.geostat.params import variography as vario
from haulier.families.geostat.params.search import Rotation
from haulier.families.geostat.steps.estimators import refused_at
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.objects import ObjectTask
from haulier.families.geostat.steps.outputs import Blobs
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
    return gstat_lags(sampled.places)


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


class FitTask(PairTask[vario.VariogramFit]):
    """A model fitted to an experimental variogram."""

    verb = "fitted"
    makes = VARIOGRAM
    word = "variogram"

    def prepare(self, job: Job[vario.VariogramFit], folder: Path) -> Prepared:
        """Read the samples, or make sure that there is an experimental variogram."""
        self.where(job)
        candidates_of(job.params)
        if job.params.experiment is not None:
            return self.read(job, folder, job.params.experiment, "experiment.")
        _, attribute = self._loaded(job)
        return Prepared(0, {"attribute": attribute})

    def _loaded(self, job: Job[vario.VariogramFit]) -> tuple[ExperimentalVariogram, str]:
        at = "experimental_variogram"
        version = int(job.pins[at][1])
        text = job.params.experimental_variogram or ""
        return load_experimental(job.context, text, at=at, version=version)

    def finish(self, job: Job[vario.VariogramFit], results: Mapping[str, PartResult]) -> Finished:
        """Fit."""
        del results
        experiment, share = job.params.experiment, 0.0
        if experiment is not None:
            share = 0.5
            found = self.measure(job, experiment, "experiment.", share)
        else:
            found, _ = self._loaded(job)

        def report(fraction: float) -> None:
            job.context.report(share + (1.0 - share) * fraction, "fitted the structures")
            job.context.check()

        with refused_at("structures"):
            fit = fit_variogram(
                found,
                candidates_of(job.params),
                nugget=job.params.nugget,
                sill=job.params.sill,
                fit_rotation=job.params.fit_rotation,
                weighting=job.params.weights,
                least_pairs=job.params.least_pairs,
                report=report,
            )
        return Finished({}, {**_told(fit, found), EXPERIMENT: experiment_values(found)})

    def document(
        self, job: Job[vario.VariogramFit], done: Mapping[str, Any], name: str
    ) -> dict[str, Any]:
        """Give the document of the variogram."""
        attribute = job.said["attribute"]
        named = {"attribute": attribute} if attribute else {}
        return {**done["variogram"], **named, "name": name}

    def told(self, done: Mapping[str, Any]) -> dict[str, Any]:
        """Give how well it fits."""
        return {"fit": done["statistics"]}


def candidates_of(params: vario.VariogramFit) -> list[Candidate]:
    """Give the structures that are to be fitted."""
    given = []
    for each in params.structures:
        shaped = each.variogram_type in {"spheroidal", "generalisedcauchy"}
        lies = each.anisotropy
        turn = (lies.rotation if lies else None) or Rotation()
        ranges = lies and lies.ellipsoid_ranges
        given.append(
            Candidate(
                each.variogram_type,
                (each.alpha or 3) if shaped else 0,
                each.contribution,
                (ranges.major, ranges.semi_major, ranges.minor) if ranges else None,
                each.hold_ranges,
                each.isotropic,
                (turn.dip_azimuth, turn.dip, turn.pitch),
            )
        )
    return given


def _told(fit: Fit, found: ExperimentalVariogram) -> dict[str, Any]:
    """Say what was fitted, in sentences, figures, and as a document without a name."""
    models = ", ".join(each.model for each in fit.variogram.structures)
    lags = int((fit.weights > 0).sum())
    message = f"Fitted a nugget and {models} to {counted(lags, 'lag')}"
    message += f" (weighted sum of squared errors {fit.ss_error:.6g})."
    statistics = {
        "ss_error": fit.ss_error,
        "converged": fit.converged,
        "evaluations": fit.evaluations,
        "lags_used": lags,
        "nugget": fit.variogram.nugget,
        "notes": list(fit.notes),
    }
    document = variogram_document(
        fit.variogram,
        name="",
        extra={"data_variance": found.variance, "modelling_space": "data"},
    )
    return {
        "message": " ".join([message, *(f"{note[:1].upper()}{note[1:]}." for note in fit.notes)]),
        "statistics": statistics,
        "variogram": document,
    }
