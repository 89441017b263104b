//! The tables: medians, ratios and how they compare with the goals.

use std::fmt::Write as _;

use super::ciphers::CipherSet;
use super::clients::{PLAIN_RELAY, SEALING_RELAY, SSH, UNDERPASS};
use super::metrics::{Figure, Goal, Metric};
use super::samples::{Entrant, Samples};
use super::stats;

/// One table for each cipher set, in Markdown that also reads well on a terminal.
pub(crate) fn tables(samples: &Samples, ciphers: &[&'static CipherSet], metrics: &[&Metric]) -> String {
    let mut text = String::new();
    for set in ciphers {
        let figures = metrics.iter().flat_map(|metric| metric.figures);
        let rows: Vec<_> = figures.map(|figure| row(samples, set, figure)).collect();
        let _ = writeln!(text, "## {}\n\n{}", set.title(), markdown(&HEADER, &rows));
    }
    if !samples.failures.is_empty() {
        let _ = writeln!(text, "## Failed\n");
        samples.failures.iter().for_each(|failure| {
            let _ = writeln!(text, "- {failure}");
        });
    }
    text
}

const HEADER: [&str; 9] = [
    "figure",
    "Underpass",
    "ssh -L",
    "sealing relay",
    "plain relay",
    "to ssh",
    "goal",
    "",
    "to sealing relay",
];

fn row(samples: &Samples, set: &'static CipherSet, figure: &'static Figure) -> [String; 9] {
    let ours = samples.of(figure.title, &Entrant { client: UNDERPASS, ciphers: Some(set) });
    let ssh = samples.of(figure.title, &Entrant { client: SSH, ciphers: Some(set) });
    let seal = samples.of(figure.title, &Entrant { client: SEALING_RELAY, ciphers: None });
    let plain = samples.of(figure.title, &Entrant { client: PLAIN_RELAY, ciphers: None });
    let to_ssh = ratio(ours, ssh);
    [
        format!("{} ({})", figure.title, figure.unit),
        value(ours, figure.digits),
        value(ssh, figure.digits),
        value(seal, figure.digits),
        value(plain, figure.digits),
        show(to_ssh),
        figure.goal.map(describe).unwrap_or_default(),
        verdict(to_ssh, figure.goal).to_owned(),
        show(ratio(ours, seal)),
    ]
}

/// The median, and how far the runs lie apart.
pub(crate) fn value(values: &[f64], digits: usize) -> String {
    let Some(median) = stats::median(values) else { return NOTHING.to_owned() };
    match stats::spread(values) {
        Some(spread) if values.len() > 1 => format!("{median:.digits$} ±{:.0}%", spread * 100.0),
        _ => format!("{median:.digits$}"),
    }
}

fn ratio(ours: &[f64], theirs: &[f64]) -> Option<f64> {
    let theirs = stats::median(theirs).filter(|median| *median > 0.0)?;
    Some(stats::median(ours)? / theirs)
}

fn show(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| NOTHING.to_owned(), |ratio| format!("{ratio:.2}"))
}

fn describe(goal: Goal) -> String {
    match goal {
        Goal::AtMost(bound) => format!("≤ {bound:.2}"),
        Goal::AtLeast(bound) => format!("≥ {bound:.2}"),
    }
}

fn verdict(ratio: Option<f64>, goal: Option<Goal>) -> &'static str {
    match (ratio, goal) {
        (Some(ratio), Some(goal)) if goal.met_by(ratio) => "pass",
        (Some(_), Some(_)) => "short",
        _ => "",
    }
}

/// A Markdown table with padded columns; the first is flush left, the others flush right.
pub(crate) fn markdown<const N: usize>(header: &[&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].chars().count(), 3]).max().expect("the header is there")
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: [&str; N]| {
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let _ = if column == 0 {
                write!(text, "| {cell:<width$} ")
            } else {
                write!(text, "| {cell:>width$} ")
            };
        }
        text.push_str("|\n");
    };
    line(*header);
    let rules: Vec<String> = widths.iter().enumerate().map(|(column, width)| rule(column, *width)).collect();
    line(std::array::from_fn(|column| rules[column].as_str()));
    for row in rows {
        line(std::array::from_fn(|column| row[column].as_str()));
    }
    text
}

fn rule(column: usize, width: usize) -> String {
    if column == 0 { "-".repeat(width) } else { format!("{}:", "-".repeat(width - 1)) }
}

pub(crate) const NOTHING: &str = "–";

#[cfg(test)]
mod tests {
    use super::super::ciphers::CIPHER_SETS;
    use super::super::metrics::METRICS;
    use super::*;

    fn table_with(ours: [f64; 4], ssh: [f64; 4]) -> String {
        let metric = &METRICS[0];
        let set = &CIPHER_SETS[0];
        let mut samples = Samples::default();
        samples.add(metric, &Entrant { client: UNDERPASS, ciphers: Some(set) }, &ours);
        samples.add(metric, &Entrant { client: SSH, ciphers: Some(set) }, &ssh);
        tables(&samples, &[set], &[metric])
    }

    #[test]
    fn a_ratio_is_judged_by_its_goal() {
        let table = table_with([1.0, 1.0, 900.0, 300.0], [2.0, 1.0, 600.0, 600.0]);
        let verdicts: Vec<_> =
            table.lines().skip(4).map(|line| line.split('|').nth(8).map(str::trim)).collect();
        assert_eq!(verdicts[..4], [Some("pass"), Some("short"), Some("pass"), Some("short")]);
    }

    #[test]
    fn a_missing_client_leaves_dashes_and_no_verdict() {
        let table = tables(&Samples::default(), &[&CIPHER_SETS[0]], &[&METRICS[0]]);
        assert!(table.contains(NOTHING));
        assert!(!table.contains(" pass |") && !table.contains(" short |"), "{table}");
    }
}
