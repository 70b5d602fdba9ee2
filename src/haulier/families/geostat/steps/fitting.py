"""Models fitted to experimental variograms; each becomes an object."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haulier.core.family import Note, PartResult
from haulier.families.geostat.io.experiments import (
    experiment_values,
    load_experimental,
)
from haulier.families.geostat.io.objects import VARIOGRAM
from haulier.families.geostat.io.variograms import variogram_document
from haulier.families.geostat.method.experimental import (
    ExperimentalVariogram,
)
from haulier.families.geostat.method.fit import Fit, fit_variogram
from haulier.families.geostat.method.unknowns import Candidate
from haulier.families.geostat.params import variography as vario
from haulier.families.geostat.params.search import Rotation
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import (
    counted,
)
from haulier.families.geostat.steps.task import Finished, Prepared
from haulier.families.geostat.steps.variography import EXPERIMENT, PairTask
from haulier.families.reporting.texts import sentence


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
        return load_experimental(job.context, job.reference(at), at=at)

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
        told = {**_told(fit, found), EXPERIMENT: experiment_values(found)}
        return Finished({}, told, tuple(Note(*each) for each in fit.remarks))

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
        shaped = each.variogram_type in vario.SHAPED
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
        "notes": [each._asdict() for each in fit.remarks],
    }
    document = variogram_document(
        fit.variogram,
        name="",
        extra={"data_variance": found.variance, "modelling_space": "data"},
    )
    said = [message, *(sentence(each.message) for each in fit.remarks)]
    return {
        "message": " ".join(said),
        "statistics": statistics,
        "variogram": document,
    }
