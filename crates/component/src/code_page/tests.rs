use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// Pages that have no encoding: nothing says what their bytes are.
const UNDESCRIBED: [u32; 2] = [709, 710];

fn of(number: u32) -> Encoding {
    Encoding::of(number).unwrap()
}

fn everywhere() -> impl Iterator<Item = u32> {
    CODE_PAGES.iter().filter(|page| page.platform.is_none()).map(|page| page.number)
}

#[test]
fn every_page_but_two_has_an_encoding() {
    let missing: Vec<u32> = everywhere().filter(|page| Encoding::of(*page).is_err()).collect();
    assert_eq!(missing, UNDESCRIBED);
    assert_eq!(everywhere().count(), 150);
    assert_eq!(Encoding::of(709), Err(Unavailable::Undescribed(709)));
    assert_eq!(Encoding::of(42), Err(Unavailable::Unknown(42)));
}

#[test]
fn numbers_of_macos_are_taken_there_only() {
    for row in CODE_PAGES.iter().filter(|page| page.platform.is_some()) {
        let encoding = Encoding::of(row.number);
        match mac_page(row.number) {
            Some(page) if cfg!(target_os = "macos") => assert_eq!(encoding.unwrap().scheme, of(page).scheme),
            None if cfg!(target_os = "macos") => {
                assert_eq!(encoding, Err(Unavailable::Undescribed(row.number)));
            }
            _ => assert_eq!(encoding, Err(Unavailable::Platform(row.number))),
        }
    }
    assert_eq!(CODE_PAGES.iter().filter_map(|row| row.platform.and(mac_page(row.number))).count(), 20);
}

/// Pages of national variants of ASCII lack some of these.
#[test]
fn plain_words_go_through_every_page() {
    for page in everywhere().filter(|page| !UNDESCRIBED.contains(page)) {
        let encoding = of(page);
        let text = if page == 50930 || page == 20290 { "PASSWORD 123" } else { "Password 123" };
        let bytes = encoding.encode(text).unwrap();
        assert_eq!(encoding.decode(&bytes), text, "{page}");
    }
}

#[test]
fn what_a_page_has_not_is_told_by_its_place() {
    for (page, text, at) in [
        (1252, "naïve ж", 6),
        (37, "€", 0),
        (932, "aé", 1),
        (54936, "a\u{e5e5}", 1),
        (52936, "中ñ", 1),
        (50220, "ア\u{e000}", 1),
    ] {
        assert_eq!(of(page).encode(text), Err(Unencodable { page, at }), "{text}");
    }
    for page in [50220, 50225, 50229] {
        assert_eq!(of(page).encode("a\u{1b}"), Err(Unencodable { page, at: 1 }), "{page}");
    }
    assert_eq!(of(1252).encode("ﬁ"), Err(Unencodable { page: 1252, at: 0 }), "no similar characters");
}

/// What others call the pages, and how many characters they have otherwise. Systems have variants of most sets, and where
/// they differ the tables here are those of Windows, whose numbers these are: an overline for a macron, `U+2126` for omega
/// or the euro where the currency sign was (all Macintosh pages), what users define in place of later additions (950,
/// 10003, 28597), double bytes with a form of full width (`～∥－￠￡￢`) in all pages of Japan, forms of Arabic letters for
/// letters (20420), or one of two codes for encoding (932).
const OTHERS: &[(u32, &str, usize)] = &[
    (37, "cp037", 0),
    (437, "cp437", 0),
    (500, "cp500", 0),
    (708, "iconv:ASMO-708", 28),
    (720, "cp720", 0),
    (737, "cp737", 0),
    (775, "cp775", 0),
    (850, "cp850", 0),
    (852, "cp852", 0),
    (855, "cp855", 0),
    (857, "cp857", 0),
    (858, "cp858", 0),
    (860, "cp860", 0),
    (861, "cp861", 0),
    (862, "cp862", 0),
    (863, "cp863", 0),
    (864, "cp864", 1),
    (865, "cp865", 0),
    (866, "cp866", 0),
    (869, "cp869", 0),
    (870, "iconv:IBM870", 1),
    (874, "cp874", 0),
    (875, "cp875", 6),
    (932, "cp932", 373),
    (936, "gbk", 0),
    (949, "cp949", 0),
    (950, "cp950", 253),
    (1026, "cp1026", 0),
    (1047, "iconv:IBM1047", 2),
    (1140, "cp1140", 0),
    (1141, "iconv:IBM1141", 0),
    (1142, "iconv:IBM1142", 0),
    (1143, "iconv:IBM1143", 0),
    (1144, "iconv:IBM1144", 0),
    (1145, "iconv:IBM1145", 0),
    (1146, "iconv:IBM1146", 0),
    (1147, "iconv:IBM1147", 0),
    (1148, "iconv:IBM1148", 0),
    (1149, "iconv:IBM1149", 0),
    (1250, "cp1250", 0),
    (1251, "cp1251", 0),
    (1252, "cp1252", 0),
    (1253, "cp1253", 0),
    (1254, "cp1254", 0),
    (1255, "cp1255", 0),
    (1256, "cp1256", 0),
    (1257, "cp1257", 0),
    (1258, "cp1258", 0),
    (1361, "johab", 111),
    (10000, "mac_roman", 1),
    (10001, "shift_jis", 6),
    (10002, "big5", 265),
    (10003, "euc_kr", 3),
    (10004, "mac_arabic", 27),
    (10006, "mac_greek", 3),
    (10007, "mac_cyrillic", 3),
    (10008, "gb2312", 1),
    (10010, "mac_romanian", 6),
    (10017, "iconv:MAC-UK", 0),
    (10029, "mac_latin2", 0),
    (10079, "mac_iceland", 2),
    (10081, "mac_turkish", 1),
    (10082, "mac_croatian", 2),
    (20105, "ascii", 3),
    (20106, "iconv:DIN_66003", 0),
    (20107, "iconv:SEN_850200_C", 0),
    (20108, "iconv:NS_4551-2", 0),
    (20127, "ascii", 0),
    (20261, "iconv:T.61-8BIT", 1),
    (20269, "iconv:ISO_6937", 171),
    (20273, "cp273", 1),
    (20277, "iconv:IBM277", 0),
    (20278, "iconv:IBM278", 2),
    (20280, "iconv:IBM280", 0),
    (20284, "iconv:IBM284", 0),
    (20285, "iconv:IBM285", 1),
    (20290, "iconv:IBM290", 64),
    (20297, "iconv:IBM297", 0),
    (20420, "iconv:IBM420", 36),
    (20423, "iconv:IBM423", 3),
    (20424, "cp424", 2),
    (20838, "iconv:IBM1160", 5),
    (20866, "koi8_r", 0),
    (20871, "iconv:IBM871", 2),
    (20880, "iconv:IBM880", 1),
    (20905, "iconv:IBM905", 2),
    (20932, "euc_jp", 0),
    (20936, "gb2312", 1),
    (21025, "iconv:IBM1025", 0),
    (21866, "koi8_u", 2),
    (28591, "iso8859_1", 0),
    (28592, "iso8859_2", 0),
    (28593, "iso8859_3", 0),
    (28594, "iso8859_4", 0),
    (28595, "iso8859_5", 0),
    (28596, "iso8859_6", 0),
    (28597, "iso8859_7", 5),
    (28598, "iso8859_8", 3),
    (28599, "iso8859_9", 0),
    (28605, "iso8859_15", 0),
    (38598, "iso8859_8", 3),
    (50930, "iconv:IBM930", 0),
    (50933, "iconv:IBM933", 0),
    (50935, "iconv:IBM935", 0),
    (50937, "iconv:IBM937", 0),
    (51932, "euc_jp", 6),
    (51936, "gb2312", 2),
    (51949, "euc_kr", 0),
    (51950, "iconv:EUC-TW", 50),
];

/// Pages that neither has. The sets of 20000 are seen in 51950, those of 50931, 50936 and 50939 in 50930 and 50935.
const LONE: &[u32] = &[
    10005, 10021, 20000, 20001, 20002, 20003, 20004, 20005, 20833, 20924, 21027, 29001, 50222, 50931, 50936,
    50939, 57002, 57003, 57004, 57005, 57006, 57007, 57008, 57009, 57010, 57011, 65001,
];

#[test]
fn all_but_some_pages_are_compared() {
    let compared = OTHERS.iter().map(|row| row.0).chain(STATEFUL.iter().map(|row| row.0));
    let mut known: Vec<u32> = compared.chain(LONE.iter().copied()).chain(UNDESCRIBED).collect();
    known.sort_unstable();
    known.dedup();
    assert_eq!(known, everywhere().collect::<Vec<_>>());
}

/// A character of one or two bytes, or a text, as somebody else has it.
struct Seen {
    page: u32,
    bytes: Vec<u8>,
    /// In hexadecimal.
    text: String,
    /// What the text becomes there.
    back: Vec<u8>,
}

fn oracle(questions: &str) -> Vec<Seen> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/code_page/oracle.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is needed: install it");
    let mut stdin = python.stdin.take().unwrap();
    let questions = questions.to_owned();
    let asking = std::thread::spawn(move || stdin.write_all(questions.as_bytes()));
    let output = python.wait_with_output().unwrap();
    asking.join().unwrap().unwrap();
    assert!(output.status.success(), "see what Python says above");
    String::from_utf8(output.stdout).unwrap().lines().map(seen).collect()
}

fn seen(line: &str) -> Seen {
    let [page, bytes, text, back] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
    Seen { page: page.parse().unwrap(), bytes: unhex(bytes), text: text.to_owned(), back: unhex(back) }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Byte for byte and character for character, in both directions, with Python's codecs and the C library's.
#[cfg(target_env = "gnu")]
#[test]
fn tables_are_those_of_others() {
    let names: String = OTHERS.iter().map(|(page, name, _)| format!("{page} {name}\n")).collect();
    let mut made: BTreeMap<u32, Encoding> = BTreeMap::new();
    let mut differ: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for Seen { page, bytes, text, back } in oracle(&names) {
        let encoding = made.entry(page).or_insert_with(|| of(page));
        let char = char::from_u32(u32::from_str_radix(&text, 16).unwrap()).unwrap().to_string();
        let decoded = encoding.decode(&bytes);
        let encoded = encoding.encode(&char);
        if decoded != char {
            differ.entry(page).or_default().push(format!("{bytes:02X?} is {decoded:?}, not {char:?}"));
        } else if back == bytes && encoded.as_ref() != Ok(&bytes) {
            differ
                .entry(page)
                .or_default()
                .push(format!("{char:?} becomes {encoded:02X?}, not {bytes:02X?}"));
        }
    }
    assert_eq!(made.len(), OTHERS.len(), "each has been compared");
    for (page, name, count) in OTHERS {
        let differ = differ.get(page).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(differ.len(), *count, "{page} and {name}: {differ:#?}");
    }
}

/// What is written with shifts and escapes, and another name of a set of characters to try.
const STATEFUL: &[(u32, &str, &str)] = &[
    (50220, "iso2022_jp", "euc_jp"),
    (50221, "iso2022_jp_ext", "euc_jp"),
    (50225, "iso2022_kr", "euc_kr"),
    (50227, "iconv:ISO-2022-CN", "gb2312"),
    (50229, "iconv:ISO-2022-CN", "big5"),
    (51950, "iconv:EUC-TW", "big5"),
    (52936, "hz", "gb2312"),
    (54936, "gb18030", "gbk"),
    (65000, "utf-7", "gbk"),
    (1200, "utf-16-le", "gbk"),
    (1201, "utf-16-be", "gbk"),
    (12000, "utf-32-le", "gbk"),
    (12001, "utf-32-be", "gbk"),
];

/// Others read what we write, and we read what they write.
#[cfg(target_env = "gnu")]
#[test]
fn texts_go_to_others_and_back() {
    let mut sets: BTreeMap<&str, Vec<char>> = BTreeMap::new();
    for (_, _, set) in STATEFUL {
        sets.entry(set).or_insert_with(|| {
            let chars = oracle(&format!("0 {set}\n"));
            chars
                .iter()
                .map(|seen| char::from_u32(u32::from_str_radix(&seen.text, 16).unwrap()).unwrap())
                .collect()
        });
    }
    let mut texts = Vec::new();
    let mut questions = String::new();
    for (page, name, set) in STATEFUL {
        let encoding = of(*page);
        let tried = |char: char| match *page {
            // Of CNS 11643, the signs are others everywhere.
            50229 | 51950 => ('\u{4E00}'..='\u{9FFF}').contains(&char),
            // Halfwidth katakana do not come back.
            50220 => !('\u{FF61}'..='\u{FF9F}').contains(&char),
            _ => true,
        };
        let known = |char: &char| {
            tried(*char) && !VARIANTS.contains(*char) && encoding.encode(&char.to_string()).is_ok()
        };
        let chars: Vec<char> = sets[set].iter().copied().filter(known).collect();
        // Between ASCII, and with the ends of lines.
        for (at, chars) in chars.chunks(100).enumerate() {
            let (some, others) = chars.split_at(chars.len() / 2);
            let text = format!("{} {at}~+\n{}", String::from_iter(some), String::from_iter(others));
            questions += &format!("{page} {name} {}\n", hex(&encoding.encode(&text).unwrap()));
            texts.push((encoding.clone(), text));
        }
    }
    let answers = oracle(&questions);
    assert_eq!(answers.len(), texts.len());
    for ((encoding, text), seen) in texts.iter().zip(answers) {
        let theirs = String::from_utf8(unhex(&seen.text)).unwrap();
        assert_eq!(&theirs, text, "what {} reads of ours", seen.page);
        // In a row of characters of plane 2 the C library leaves out every SS2 but the first.
        if seen.page != 50229 {
            assert_eq!(&encoding.decode(&seen.back), text, "what we read of {}", seen.page);
        }
    }
}

/// What is another character there, or none.
const VARIANTS: &str = "～∥－￠￡￢―‖・彞彝\u{7F}";

#[test]
fn halfwidth_katakana_are_written_in_three_ways() {
    let text = "aｶﾞﾊﾟｳﾞｱ｡漢";
    for (page, hex, back) in [
        (50220, "611b2442252c25512574252221233441 1b2842", "aガパヴア。漢"),
        (50221, "611b2849365e4a5f335e31211b244234411b2842", text),
        (50222, "610e365e4a5f335e31210f1b244234411b2842", text),
    ] {
        let bytes = unhex(&hex.replace(' ', ""));
        assert_eq!(of(page).encode(text).as_ref(), Ok(&bytes), "{page}");
        for reader in [50220, 50221, 50222] {
            assert_eq!(of(reader).decode(&bytes), back, "{page} by {reader}");
        }
    }
    assert_eq!(of(50220).decode(b"\xB6\x1B$(D0!\x1B(Jx"), "ｶ丂x", "8 bits, JIS X 0212, the Roman set");
}

/// The bytes of Devanagari are those of Java's `x-ISCII91`.
#[test]
fn scripts_of_india_share_their_bytes() {
    let devanagari = (0xA1..=0xEA).map(|byte| of(57002).decode(&[byte])).collect::<String>();
    assert_eq!(devanagari, "ँंःअआइईउऊऋऎएऐऍऒओऔऑकखगघङचछजझञटठडढणतथदधनऩपफबभमय\u{95F}रऱलळऴवशषसह\u{200D}ािीुूृॆेैॅॊोौॉ़्।");
    assert_eq!(of(57002).decode(b"\xF1\xFA\xA1\xE9\xE8\xE9\xE8\xE8"), "०९ॐ्\u{200D}्\u{200C}");
    let ka = b"\xB3\xDA a";
    for (page, text) in
        (57002..).zip(["का a", "কা a", "கா a", "కా a", "কা a", "କା a", "ಕಾ a", "കാ a", "કા a", "ਕਾ a"])
    {
        assert_eq!(of(page).decode(ka), text, "{page}");
        assert_eq!(of(page).encode(text).as_deref(), Ok(&ka[..]), "{page}");
    }
    let both = of(57002).encode("का கா का \u{95C} ऽ").unwrap();
    assert_eq!(both, b"\xB3\xDA \xEFD\xB3\xDA \xEFB\xB3\xDA \xBF\xE9 \xEA\xE9");
    assert_eq!(of(57002).decode(&both), "का கா का \u{95C} ऽ");
    assert_eq!(of(57004).decode(b"\xB4"), "\u{FFFD}", "Tamil has no such letter");
}

#[test]
fn utf_7_is_read_with_and_without_an_end_of_its_own() {
    for (bytes, text) in [
        ("A+ImIDkQ.", "A≢Α."),
        ("Hi Mom -+Jjo--!", "Hi Mom -☺-!"),
        ("+ZeVnLIqe-", "日本語"),
        ("1 +- 2", "1 + 2"),
        ("a~b", "a~b"),
    ] {
        assert_eq!(of(65000).decode(bytes.as_bytes()), text);
    }
    assert_eq!(of(65000).encode("~+~"), Ok(b"+AH4AKwB+-".to_vec()));
    assert_eq!(of(65000).decode(b"+2D0-\xFF"), "\u{FFFD}\u{FFFD}", "half a pair, and no ASCII");
}

/// Characters for private use that stood in GB 18030 for ones that Unicode did not have yet, and the latter. The encoder
/// takes both and the decoder gives the latter, by the Encoding Standard, after GB 18030-2022.
const ONCE_PRIVATE: [(char, char); 18] = [
    ('\u{E78D}', '\u{FE10}'),
    ('\u{E78E}', '\u{FE12}'),
    ('\u{E78F}', '\u{FE11}'),
    ('\u{E790}', '\u{FE13}'),
    ('\u{E791}', '\u{FE14}'),
    ('\u{E792}', '\u{FE15}'),
    ('\u{E793}', '\u{FE16}'),
    ('\u{E794}', '\u{FE17}'),
    ('\u{E795}', '\u{FE18}'),
    ('\u{E796}', '\u{FE19}'),
    ('\u{E81E}', '\u{9FB4}'),
    ('\u{E826}', '\u{9FB5}'),
    ('\u{E82B}', '\u{9FB6}'),
    ('\u{E82C}', '\u{9FB7}'),
    ('\u{E832}', '\u{9FB8}'),
    ('\u{E843}', '\u{9FB9}'),
    ('\u{E854}', '\u{9FBA}'),
    ('\u{E864}', '\u{9FBB}'),
];

#[test]
fn characters_of_gb_18030_that_were_private_are_read_as_what_they_became() {
    let (old, new): (String, String) = ONCE_PRIVATE.iter().copied().unzip();
    let bytes = of(54936).encode(&old).unwrap();
    assert_eq!(of(54936).encode(&new).as_ref(), Ok(&bytes));
    assert_eq!(of(54936).decode(&bytes), new);
}

static ALL: LazyLock<Vec<Encoding>> =
    LazyLock::new(|| everywhere().filter(|page| !UNDESCRIBED.contains(page)).map(of).collect());

proptest! {
    #[test]
    fn any_bytes_are_some_text_that_can_be_written(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for encoding in ALL.iter() {
            let text = encoding.decode(&bytes);
            // Halfwidth katakana become others in 50220.
            if let Ok(again) = encoding.encode(&text) && !text.contains(REPLACEMENT) && encoding.number != 50220 {
                prop_assert_eq!(encoding.decode(&again), text, "{}", encoding.number);
            }
        }
    }

    #[test]
    fn what_is_written_is_read(text in "(?s).{0,20}") {
        prop_assume!(!text.contains(ONCE_PRIVATE.map(|(old, _)| old)));
        for encoding in ALL.iter().filter(|encoding| encoding.number != 50220) {
            if let Ok(bytes) = encoding.encode(&text) {
                prop_assert_eq!(encoding.decode(&bytes), &text[..], "{}", encoding.number);
            }
        }
    }
}
