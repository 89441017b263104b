//! What `BuildInfo` and `LicenseInfo` answer.

use crate::model::Value;
use crate::setting;

/// Version, platform and profile of this build, and the features that were chosen for it.
pub(crate) fn build_info(features: &[&str]) -> String {
    let environment = match c_library() {
        Some(environment) => format!("-{environment}"),
        None => String::new(),
    };
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    format!(
        "Underpass {} for {}-{}{environment}, {profile} build, features: {features}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
    )
}

/// A line for each label of the table. Nothing has to be bought, so that some have little to say.
pub(crate) fn license_info() -> String {
    let row = setting("LicenseInfo").ok().and_then(|found| found.rows.first().copied());
    let Some(Value::Lines(labels)) = row.map(|row| row.value) else { return String::new() };
    let lines: Vec<String> = labels.iter().map(|label| format!("{label}: {}", answer(label))).collect();
    lines.join("\n")
}

fn answer(label: &str) -> String {
    match label {
        "Product" => format!("Underpass {}", env!("CARGO_PKG_VERSION")),
        "Product Key" => "none is needed".to_owned(),
        "License Source" => "the files LICENSE-MIT and LICENSE-APACHE of the source code".to_owned(),
        "License Type" => env!("CARGO_PKG_LICENSE").to_owned(),
        // A licence that ends with no version.
        _ => "any".to_owned(),
    }
}

/// The C library, where there are several.
fn c_library() -> Option<&'static str> {
    [
        ("gnu", cfg!(target_env = "gnu")),
        ("musl", cfg!(target_env = "musl")),
        ("msvc", cfg!(target_env = "msvc")),
    ]
    .into_iter()
    .find_map(|(name, is)| is.then_some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_tells_version_platform_and_features() {
        let text = build_info(&["one", "other"]);
        for part in [env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS, "one, other"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(build_info(&[]).ends_with("features: none"));
    }

    #[test]
    fn the_licence_is_that_of_the_repository() {
        let text = license_info();
        let labels: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
        assert_eq!(labels, ["Product", "Product Key", "License Source", "License Type", "Last Valid Build"]);
        let kind = text.lines().find_map(|line| line.strip_prefix("License Type: ")).unwrap();
        for name in kind.split(" OR ") {
            let file = match name {
                "MIT" => include_str!("../../../LICENSE-MIT"),
                _ => include_str!("../../../LICENSE-APACHE"),
            };
            assert!(file.contains(name.split('-').next().unwrap()), "{name}");
        }
    }
}
