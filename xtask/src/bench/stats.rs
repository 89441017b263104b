//! Medians and percentiles.

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { *upper } else { f64::midpoint(sorted[middle - 1], *upper) })
}

/// Half the range between the extremes, as a share of the median.
pub(crate) fn spread(values: &[f64]) -> Option<f64> {
    let median = median(values)?;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (median > 0.0).then(|| (most - least) / 2.0 / median)
}

/// The smallest value that at least `share` of the sorted values do not exceed (nearest rank).
///
/// # Panics
/// When there are no values.
pub(crate) fn percentile<T: Copy>(sorted: &[T], share: f64) -> T {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(&[9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 9.0]), Some(3.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&sorted, 0.50), 100);
        assert_eq!(percentile(&sorted, 0.99), 198);
        assert_eq!(percentile(&[7], 0.99), 7);
    }

    #[test]
    fn spread_is_half_the_range_relative_to_the_median() {
        assert_eq!(spread(&[9.0, 10.0, 12.0]), Some(0.15));
        assert_eq!(spread(&[0.0]), None);
    }
}
