"""What a reader must know stands on the page with what to do about it."""

from haulier.families.reporting import Caution, Report, render


def page(*warnings: str | Caution) -> str:
    return render(Report("Title", "Subtitle", (), warnings=warnings)).decode()


def test_a_caution_has_its_code_and_what_to_do() -> None:
    shown = page("Plain.", Caution("Z is in <feet>.", "Scale it.", "UNIT"))

    assert "2 things to know" in shown
    assert "<li>Plain.</li>" in shown
    assert 'Z is in &lt;feet&gt;. <code>UNIT</code><p class="hint">Scale it.</p></li>' in shown
    assert 'class="warnings"' in shown


def test_a_grave_caution_is_told_apart() -> None:
    shown = page(Caution("The system is wrong.", grave=True), Caution("Odd."))

    assert 'class="warnings grave"' in shown
    assert shown.count('<li class="grave">') == 1
