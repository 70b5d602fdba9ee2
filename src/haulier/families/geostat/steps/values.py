"""Tasks that work row by row on the values of an attribute: scores, statistics, categories."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import (
    CATEGORY,
    Attribute,
    AttributeList,
    find_attribute,
)
from haulier.families.geostat.io.distributions import load_distribution
from haulier.families.geostat.io.geometry import main_list
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.io.quota import check_quota
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.io.values import (
    check_ensemble_or_number,
    check_size,
    read_realisations,
    width_of,
)
from haulier.families.geostat.method.economics import Category, Costs, least_loss, most_profit
from haulier.families.geostat.method.normal_score import backward, forward
from haulier.families.geostat.params.simulation import (
    GradeCalculation,
    LocationWise,
    LossSettings,
)
from haulier.families.geostat.params.transforms import NormalScore
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Columns, Output
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import counted
from haulier.families.geostat.steps.statistics import statistics_of, statistics_outputs
from haulier.families.geostat.steps.task import (
    AttributeTask,
    Prepared,
    Said,
    Work,
    add,
    attribute_result,
    count_values,
    summary,
)

V = TypeVar("V", bound=NormalScore | LocationWise | GradeCalculation)
Rows = Callable[[FloatArray], Columns]
SOURCE_AT: Final = "source.object"


class ValuesTask(AttributeTask[V]):
    """A task whose rows depend on the same rows of an attribute, and on nothing else."""

    noun = "rows"
    step_rows = 65_536

    def attribute(self, job: Job[V]) -> Attribute:
        """Find the attribute that is read."""
        return find_attribute(
            job.object(SOURCE_AT), job.params.source.attribute, at="source.attribute"
        )

    def owner(self, job: Job[V], target: GeoObject) -> AttributeList:
        """Write beside the attribute that is read, or to the main list of another object."""
        source = job.object(SOURCE_AT)
        return main_list(target, self.attribute(job).owner if source.id == target.id else None)

    @abstractmethod
    def rows(self, job: Job[V]) -> Rows:
        """Give what makes columns of (m, r) values."""

    def prepare(self, job: Job[V], folder: Path) -> Prepared:
        """Make sure that source and target have the same rows."""
        del folder
        attribute = self.attribute(job)
        check_ensemble_or_number(attribute)
        target = job.object(self.target_at)
        owner = self.owner(job, target)
        check_quota(job.context, owner.length, at=self.target_at)
        if owner.length != attribute.owner.length:
            detail = f"{self.target_at} must have as many locations as the source"
            detail += f" ({attribute.owner.length:,}); '{target.title}' has {owner.length:,}"
            raise Problem(Code.INVALID, detail, at=self.target_at)
        self.check_outputs(job)
        self.rows(job)
        values = {
            "attribute": attribute.name,
            "width": width_of(attribute),
            "title": target.title,
        }
        return Prepared(owner.length, values)

    def start(self, job: Job[V]) -> Work:
        """Open the attribute."""
        attribute, rows = self.attribute(job), self.rows(job)

        def work(first: int, last: int) -> Columns:
            values = read_realisations(job.context, attribute, first, last)
            check_size(values, at=attribute.at)
            there = ~np.isnan(values).all(axis=1)
            return {**rows(values), ".there": np.array([float(there.sum())])}

        return work

    def tally(self, job: Job[V], columns: Columns, so_far: dict[str, float]) -> None:
        """Count the rows that have values, and what was made of them."""
        add(so_far, "there", float(columns[".there"][0]))
        for each in self.outputs(job):
            if each.type == CATEGORY:
                for key, name in enumerate(each.categories):
                    add(so_far, f"category.{name}", float((columns[each.name] == key).sum()))
            else:
                count_values(columns[each.name], so_far, each.name)

    def check_made(self, job: Job[V], total: Mapping[str, float]) -> None:
        """Refuse an attribute without any value."""
        if not total.get("there"):
            detail = f"source.attribute must have values; all {job.said['rows']:,} of attribute "
            detail += f"'{job.said['attribute']}' are missing"
            raise Problem(Code.INVALID, detail, at="source.attribute")

    def told(self, job: Job[V], total: Mapping[str, float]) -> dict[str, Any]:
        """Say how many rows were worked on, and how many had no value."""
        there, rows = int(total["there"]), int(job.said["rows"])
        said = [f"{self.sentence(job)} for {there:,} of {rows:,} locations."]
        if there < rows:
            said.append(f"{rows - there:,} had no value, and have none in the result.")
        figures = {
            each.name: summary(total, each.name)
            for each in self.outputs(job)
            if each.type != CATEGORY
        }
        shares = {
            name.removeprefix("category."): int(count)
            for name, count in total.items()
            if name.startswith("category.")
        }
        statistics = {"locations": rows, "locations_with_values": there, "outputs": figures}
        statistics |= {"categories": shares} if shares else {}
        return {"message": " ".join(said), "statistics": statistics}

    @abstractmethod
    def sentence(self, job: Job[V]) -> str:
        """Say what was done, up to the number of locations."""

    def result(
        self, job: Job[V], done: Said, target: Said, placed: Sequence[Placed]
    ) -> dict[str, Any]:
        """Give message, target and attribute."""
        del job
        attribute = attribute_result(placed[0])
        return {"message": done["message"], "target": {**target, "attribute": attribute}}


class NormalScoreTask(ValuesTask[NormalScore]):
    """Values to normal scores, or back."""

    verb = "transformed"
    name: Final = "values"

    def outputs(self, job: Job[NormalScore]) -> list[Output]:
        """Give the transformed values; of an ensemble, an ensemble."""
        attribute = self.attribute(job)
        width = width_of(attribute)
        type_ = "ensemble_continuous" if attribute.type == "ensemble_continuous" else "scalar"
        spec = job.params.target.attribute
        return [Output(self.name, "target.attribute", spec, type_, width)]

    def rows(self, job: Job[NormalScore]) -> Rows:
        """Load the distribution."""
        at = "distribution"
        distribution = load_distribution(job.context, job.reference(at), at=at)
        way = forward if job.params.method == "forward" else backward
        (output,) = self.outputs(job)

        def transform(values: FloatArray) -> Columns:
            made = way(values, distribution)
            return {self.name: made if output.type != "scalar" else made[:, 0]}

        return transform

    def sentence(self, job: Job[NormalScore]) -> str:
        """Say which way."""
        way = "to normal scores" if job.params.method == "forward" else "back from normal scores"
        return f"Transformed attribute '{job.said['attribute']}' {way}"


class LocationWiseTask(ValuesTask[LocationWise]):
    """Statistics over the realisations of each location."""

    verb = "summarised"

    def outputs(self, job: Job[LocationWise]) -> list[Output]:
        """Give what was asked for, in the order of the schema, named after the attribute."""
        return statistics_outputs(job.params, self.attribute(job).name, at="target")

    def rows(self, job: Job[LocationWise]) -> Rows:
        """Compute what was asked for."""
        return lambda values: statistics_of(job.params, values)

    def sentence(self, job: Job[LocationWise]) -> str:
        """Say of how many realisations."""
        realisations = counted(job.said["width"], "realisation")
        return f"Summarised {realisations} of attribute '{job.said['attribute']}'"

    def result(
        self, job: Job[LocationWise], done: Said, target: Said, placed: Sequence[Placed]
    ) -> dict[str, Any]:
        """Give message, target and all attributes."""
        del job
        attributes = [attribute_result(one) for one in placed]
        return {"message": done["message"], "target": {**target, "attributes": attributes}}


def economics_of(said: GradeCalculation | LossSettings) -> tuple[list[Category], Costs]:
    """Give categories and costs as methods take them."""
    categories = [
        Category(each.cutoff_grade, each.metal_price, each.label)
        for each in said.material_categories
    ]
    costs = Costs(
        said.processing_cost,
        said.mining_waste_cost,
        said.mining_ore_cost,
        said.metal_recovery_fraction,
    )
    return categories, costs


class GradeTask(ValuesTask[GradeCalculation]):
    """Give each location a category of material."""

    verb = "classified"
    name: Final = "category"
    aim: str = ""

    def outputs(self, job: Job[GradeCalculation]) -> list[Output]:
        """Give the category."""
        labels = tuple(each.label for each in job.params.material_categories)
        spec = job.params.target.attribute
        return [Output(self.name, "target.attribute", spec, CATEGORY, categories=labels)]

    @abstractmethod
    def choose(
        self, values: FloatArray, categories: Sequence[Category], costs: Costs
    ) -> NDArray[np.int64]:
        """Give the number of the category of each location."""

    def rows(self, job: Job[GradeCalculation]) -> Rows:
        """Classify by the settings."""
        categories, costs = economics_of(job.params)
        with refused_at("material_categories"):
            self.choose(np.zeros((1, 1)), categories, costs)
        return lambda values: {self.name: self.choose(values, categories, costs)}

    def sentence(self, job: Job[GradeCalculation]) -> str:
        """Say by what."""
        return f"Classified attribute '{job.said['attribute']}' by {self.aim}"


class LossTask(GradeTask):
    """The last category that is expected to lose less with a block in it than without."""

    aim = "expected losses"

    def choose(
        self, values: FloatArray, categories: Sequence[Category], costs: Costs
    ) -> NDArray[np.int64]:
        """Take the least loss."""
        return least_loss(values, categories, costs)


class ProfitTask(GradeTask):
    """The last category that is expected to earn more with a block in it than without."""

    aim = "expected profits"

    def choose(
        self, values: FloatArray, categories: Sequence[Category], costs: Costs
    ) -> NDArray[np.int64]:
        """Take the most profit."""
        return most_profit(values, categories, costs)
