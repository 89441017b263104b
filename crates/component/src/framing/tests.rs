use proptest::prelude::*;

use super::*;

/// All pieces, with `+` behind one that is whole and `-` behind one that is not.
fn cut(pushes: &[&[u8]], rules: &Rules) -> Vec<String> {
    let mut framer = Framer::default();
    let mut pieces = Vec::new();
    for push in pushes {
        framer.push(push);
        pieces.extend(std::iter::from_fn(|| framer.next(rules)));
    }
    pieces.extend(framer.finish());
    pieces.iter().map(shown).collect()
}

fn shown(piece: &Piece) -> String {
    format!("{}{}", piece.bytes.escape_ascii(), if piece.eol { '+' } else { '-' })
}

fn separator(eol: &[u8]) -> Rules {
    Rules { eol: eol.to_vec(), max_line: 8, ..Rules::default() }
}

fn lines() -> Rules {
    Rules { single_line: true, eol: b"x".to_vec(), max_line: 8, ..Rules::default() }
}

fn records(record_length: usize) -> Rules {
    Rules { record_length, ..Rules::default() }
}

#[test]
fn without_rules_data_pass_as_they_come() {
    let long = vec![b'a'; 3 * MAX_LINE];
    let shown = format!("{}+", "a".repeat(long.len()));
    assert_eq!(cut(&[b"a\r\nb", &long], &Rules::default()), ["a\\r\\nb+".to_owned(), shown]);
}

#[test]
fn a_separator_ends_a_line_and_is_dropped() {
    assert_eq!(cut(&[b"one\r\n\r\ntwo\r\nrest"], &separator(b"\r\n")), ["one+", "+", "two+", "rest-"]);
    assert_eq!(cut(&[b"a\0\0b\0c"], &separator(b"\0\0")), ["a+", "b\\x00c-"]);
}

#[test]
fn a_separator_may_come_in_parts() {
    assert_eq!(cut(&[b"one\r", b"\ntwo", b"\r", b"\r", b"\n"], &separator(b"\r\n")), ["one+", "two\\r+"]);
}

#[test]
fn a_packet_that_ends_within_a_line_gives_no_piece() {
    let mut framer = Framer::default();
    framer.push(b"one");
    assert_eq!(framer.next(&separator(b";")), None);
}

#[test]
fn a_line_that_fills_the_buffer_comes_out_without_its_end() {
    assert_eq!(cut(&[b"12345678", b"9;"], &separator(b";")), ["12345678-", "9+"]);
    assert_eq!(cut(&[b"1234567;8"], &separator(b";")), ["1234567+", "8-"]);
    let mut framer = Framer::default();
    framer.push(b"12345678");
    assert_eq!(framer.next(&separator(b";")).as_ref().map(shown).as_deref(), Some("12345678-"));
}

#[test]
fn a_separator_is_never_torn_by_the_limit() {
    assert_eq!(cut(&[b"1234567\r\n8"], &separator(b"\r\n")), ["1234567-", "+", "8-"]);
    assert_eq!(cut(&[b"1234567\r8\r\n"], &separator(b"\r\n")), ["1234567-", "\\r8+"]);
}

#[test]
fn a_separator_longer_than_the_limit_is_not_found() {
    assert_eq!(cut(&[b"0123456789"], &separator(b"0123456789")), ["01234567-", "89-"]);
}

#[test]
fn single_lines_end_with_cr_lf_or_both() {
    assert_eq!(cut(&[b"a\rb\nc\r\nd\n\re\r\r\nx"], &lines()), ["a+", "b+", "c+", "d+", "+", "e+", "+", "x-"]);
}

#[test]
fn crlf_in_two_packets_ends_one_line() {
    assert_eq!(cut(&[b"a\r", b"\nb\r", b"\n", b"\n"], &lines()), ["a+", "b+", "+"]);
    assert_eq!(cut(&[b"1234567\r", b"\n8"], &lines()), ["1234567+", "8-"]);
}

#[test]
fn records_have_their_length_and_win_over_lines() {
    assert_eq!(cut(&[b"abcd", b"efghi"], &records(3)), ["abc+", "def+", "ghi+"]);
    assert_eq!(cut(&[b"abcd"], &Rules { record_length: 3, ..lines() }), ["abc+", "d-"]);
    assert_eq!(cut(&[b"a;b;"], &Rules { record_length: 3, ..separator(b";") }), ["a;b+", ";-"]);
}

#[test]
fn rules_change_between_two_pieces() {
    let mut framer = Framer::default();
    framer.push(b"5\r\nab\ncdnext\nrest");
    let mut next = |rules: &Rules| framer.next(rules).as_ref().map(shown);
    assert_eq!(next(&lines()).as_deref(), Some("5+"));
    assert_eq!(next(&records(5)).as_deref(), Some("ab\\ncd+"), "the LF belongs to the line before");
    assert_eq!(next(&lines()).as_deref(), Some("next+"));
    assert_eq!(next(&separator(b"st")).as_deref(), Some("re+"));
    assert_eq!(next(&Rules::default()), None);
}

#[test]
fn what_was_scanned_for_one_end_is_scanned_again_for_another() {
    let mut framer = Framer::default();
    framer.push(b"a;b");
    assert_eq!(framer.next(&separator(b"\n")), None);
    assert_eq!(framer.next(&separator(b";")).as_ref().map(shown).as_deref(), Some("a+"));
}

#[test]
fn channels_are_cut_at_a_separator_or_a_length_and_lose_nothing() {
    assert_eq!(cut(&[b"a;bcdefgh;"], &Rules::of_channel(b";", 4)), ["a;+", "bcde-", "fgh;+"]);
    assert_eq!(cut(&[b"a;b", b"c"], &Rules::of_channel(b";", 0)), ["a;b+", "c+"], "one alone does not count");
    assert_eq!(cut(&[b"a;b", b"c"], &Rules::of_channel(b"", 4)), ["a;b+", "c+"], "one alone does not count");
}

#[test]
fn many_short_lines_in_one_push_take_linear_time() {
    let lines = b";".repeat(1 << 20);
    assert_eq!(cut(&[&lines], &separator(b";")).len(), lines.len());
}

/// Few values, so that ends of lines are frequent.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ab\r\n\0".to_vec()), 0..200)
}

fn rules() -> impl Strategy<Value = Rules> {
    let eol = prop::collection::vec(prop::sample::select(b"a\r\n\0".to_vec()), 1..4);
    (eol, any::<bool>(), 0_usize..6, 1_usize..12, any::<bool>()).prop_map(
        |(eol, single_line, record_length, max_line, keep_eol)| Rules {
            eol,
            single_line,
            record_length: record_length.saturating_sub(2),
            max_line,
            keep_eol: keep_eol && !single_line,
        },
    )
}

proptest! {
    /// Under every rule but that of no rule.
    #[test]
    fn where_packets_end_makes_no_difference(stream in stream(), rules in rules(), at in prop::collection::vec(0_usize..200, 0..6)) {
        let mut at: Vec<usize> = at.into_iter().map(|at| at.min(stream.len())).collect();
        at.sort_unstable();
        let mut pushes = Vec::new();
        let mut from = 0;
        for to in at.into_iter().chain([stream.len()]) {
            pushes.push(&stream[from..to]);
            from = to;
        }
        prop_assert_eq!(cut(&pushes, &rules), cut(&[&stream], &rules));
    }

    #[test]
    fn nothing_is_lost_but_separators(stream in stream(), rules in rules()) {
        prop_assume!(!rules.single_line || rules.record_length > 0);
        let mut framer = Framer::default();
        framer.push(&stream);
        let mut together = Vec::new();
        while let Some(Piece { bytes, eol }) = framer.next(&rules) {
            let limit = if rules.record_length > 0 { rules.record_length } else { rules.max_line };
            prop_assert!(bytes.len() <= limit);
            prop_assert!(eol || rules.record_length == 0);
            together.extend(bytes);
            if eol && !rules.keep_eol && rules.record_length == 0 {
                together.extend(&rules.eol);
            }
        }
        let rest = framer.finish().map(|piece| piece.bytes).unwrap_or_default();
        prop_assert!(rest.len() < rules.record_length.max(rules.max_line));
        together.extend(rest);
        prop_assert_eq!(together, stream);
    }

    #[test]
    fn single_lines_are_those_of_a_plain_reader(text in "[ab\r\n]{0,60}") {
        let rules = Rules { single_line: true, ..Rules::default() };
        let mut expected: Vec<String> = Vec::new();
        let unified = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut parts = unified.split('\n').peekable();
        while let Some(part) = parts.next() {
            let whole = parts.peek().is_some();
            if whole || !part.is_empty() {
                expected.push(format!("{part}{}", if whole { '+' } else { '-' }));
            }
        }
        prop_assert_eq!(cut(&[text.as_bytes()], &rules), expected);
    }
}
