//! The two spellings of JSON that get signed.
//!
//! Both exist so that signer and verifier hash the same bytes, and they disagree in almost everything: order
//! of keys (code points here, UTF-16 units there), characters outside ASCII (escaped here, plain there) and
//! numbers. Neither is the RDF canonicalisation of JSON-LD.

use serde_json::{Number, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The members of an object that is nowhere as a whole.
pub(crate) type Members<'a> = BTreeMap<&'a str, &'a Value>;

/// The document has a number that Python and Rust may spell differently: not an integer of 64 bits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number {0} has more than one spelling; only integers of 64 bits can be signed")]
pub struct NumberInDocument(pub String);

/// What Python's `json.dumps(value, sort_keys=True, separators=(",", ":"))` prints, which is what the Art DAG
/// engine hashes: keys in the order of their code points, no spaces, everything outside printable ASCII as
/// `\uXXXX`, above the BMP as a surrogate pair. This is not RFC 8785.
///
/// Works without recursion, so no nesting is too deep.
///
/// ```
/// use artdag_federation::canonical::engine_json;
/// use serde_json::json;
///
/// assert_eq!(engine_json(&json!({"b": 1, "a": "é"}))?, r#"{"a":"\u00e9","b":1}"#);
/// assert!(engine_json(&json!([1.5])).is_err());
/// # Ok::<(), artdag_federation::canonical::NumberInDocument>(())
/// ```
///
/// # Errors
/// [`NumberInDocument`] for the first number that is no integer of 64 bits.
pub fn engine_json(value: &Value) -> Result<String, NumberInDocument> {
    print(vec![Step::Value(value)])
}

/// The same of an object with these members.
pub(crate) fn engine_json_of(members: &Members<'_>) -> Result<String, NumberInDocument> {
    let mut steps = Vec::new();
    push_members(&mut steps, members.iter().map(|(key, member)| (*key, *member)).collect());
    print(steps)
}

fn print(mut steps: Vec<Step<'_>>) -> Result<String, NumberInDocument> {
    let mut out = String::new();
    while let Some(step) = steps.pop() {
        match step {
            Step::Punctuation(c) => out.push(c),
            Step::Key(key) => {
                write_ascii_string(&mut out, key);
                out.push(':');
            }
            Step::Value(Value::Null) => out.push_str("null"),
            Step::Value(Value::Bool(true)) => out.push_str("true"),
            Step::Value(Value::Bool(false)) => out.push_str("false"),
            Step::Value(Value::Number(number)) => out.push_str(&spell_integer(number)?),
            Step::Value(Value::String(text)) => write_ascii_string(&mut out, text),
            Step::Value(Value::Array(items)) => {
                out.push('[');
                steps.push(Step::Punctuation(']'));
                for (i, item) in items.iter().enumerate().rev() {
                    steps.push(Step::Value(item));
                    if i > 0 {
                        steps.push(Step::Punctuation(','));
                    }
                }
            }
            Step::Value(Value::Object(members)) => {
                push_members(&mut steps, members.iter().map(|(key, member)| (key.as_str(), member)).collect());
            }
        }
    }
    Ok(out)
}

fn push_members<'a>(steps: &mut Vec<Step<'a>>, mut members: Vec<(&'a str, &'a Value)>) {
    // UTF-8 sorts as its code points do.
    members.sort_unstable_by_key(|(key, _)| *key);
    steps.push(Step::Punctuation('}'));
    for (i, (key, member)) in members.into_iter().enumerate().rev() {
        steps.push(Step::Value(member));
        steps.push(Step::Key(key));
        if i > 0 {
            steps.push(Step::Punctuation(','));
        }
    }
    steps.push(Step::Punctuation('{'));
}

/// What is still to be printed, last first.
enum Step<'a> {
    Value(&'a Value),
    Key(&'a str),
    Punctuation(char),
}

fn spell_integer(number: &Number) -> Result<String, NumberInDocument> {
    let text = number.to_string();
    if number.is_i64() || number.is_u64() { Ok(text) } else { Err(NumberInDocument(text)) }
}

fn write_ascii_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// How deep a document may nest to get a JCS form: as deep as `serde_json` reads.
pub const MAX_DEPTH: usize = 128;

/// Why a document has no JCS form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the document nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// An integer that no double holds. RFC 8785 knows doubles only, so it would be signed as another number
    /// than the one that is read here.
    #[error("the number {0} is not exact as a double")]
    Number(String),
    /// The serializer gave up.
    #[error("the document cannot be spelt: {0}")]
    Other(String),
}

/// The JSON Canonicalization Scheme, RFC 8785.
///
/// ```
/// use artdag_federation::canonical::jcs;
/// use serde_json::json;
///
/// assert_eq!(jcs(&json!({"b": 1.0, "a": "é"}))?, r#"{"a":"é","b":1}"#);
/// # Ok::<(), artdag_federation::canonical::NotCanonical>(())
/// ```
///
/// # Errors
/// [`NotCanonical`]. A document of strings, booleans and small integers, nested as deep as people nest, always
/// has a form.
pub fn jcs(value: &Value) -> Result<String, NotCanonical> {
    check_for_jcs(vec![(value, 0)])?;
    serde_json_canonicalizer::to_string(value).map_err(|e| NotCanonical::Other(e.to_string()))
}

/// The same of an object with these members.
pub(crate) fn jcs_of(members: &Members<'_>) -> Result<String, NotCanonical> {
    check_for_jcs(members.values().map(|member| (*member, 1)).collect())?;
    serde_json_canonicalizer::to_string(members).map_err(|e| NotCanonical::Other(e.to_string()))
}

/// The serializer recurses and rounds; what would overflow its stack or change its value is refused before.
fn check_for_jcs(mut rest: Vec<(&Value, usize)>) -> Result<(), NotCanonical> {
    while let Some((value, depth)) = rest.pop() {
        if depth > MAX_DEPTH {
            return Err(NotCanonical::TooDeep);
        }
        match value {
            Value::Null | Value::Bool(_) | Value::String(_) => {}
            Value::Number(number) if is_exact_double(number) => {}
            Value::Number(number) => return Err(NotCanonical::Number(number.to_string())),
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => rest.extend(members.values().map(|member| (member, depth + 1))),
        }
    }
    Ok(())
}

fn is_exact_double(number: &Number) -> bool {
    let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    // A double has 53 significant bits.
    magnitude.is_none_or(|m| m == 0 || m.ilog2() - m.trailing_zeros() < 53)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn python_spellings() {
        // Printed by CPython's json.dumps with the two options.
        let cases = [
            (json!("été → ✨ 𝒳"), r#""\u00e9t\u00e9 \u2192 \u2728 \ud835\udcb3""#),
            (json!("\"\\/\u{8}\u{c}\n\r\t"), r#""\"\\/\b\f\n\r\t""#),
            (json!("\0\u{1f}\u{7f}\u{80}\u{ffff}"), r#""\u0000\u001f\u007f\u0080\uffff""#),
            (json!("~ <>&'"), r#""~ <>&'""#),
            (json!({"z": [], "a": {}, "": null, "B": true}), r#"{"":null,"B":true,"a":{},"z":[]}"#),
            (json!([-1, 0, u64::MAX, i64::MIN]), "[-1,0,18446744073709551615,-9223372036854775808]"),
        ];
        for (value, expected) in cases {
            assert_eq!(engine_json(&value).unwrap(), expected);
        }
    }

    #[test]
    fn the_two_orders_of_keys() {
        // U+1F600 is above U+FB33, but its first UTF-16 unit (U+D83D) is below it.
        let value = json!({"\u{1f600}": 1, "\u{fb33}": 2});
        assert_eq!(engine_json(&value).unwrap(), r#"{"\ufb33":2,"\ud83d\ude00":1}"#);
        assert_eq!(jcs(&value).unwrap(), "{\"\u{1f600}\":1,\"\u{fb33}\":2}");
        let members = value.as_object().unwrap().iter().map(|(key, member)| (key.as_str(), member)).collect();
        assert_eq!(engine_json_of(&members), engine_json(&value));
        assert_eq!(jcs_of(&members), jcs(&value));
    }

    #[test]
    fn a_number_with_two_spellings_is_refused() {
        for text in ["1.5", "1e3", "-0", "1.0", "18446744073709551616"] {
            let value: Value = serde_json::from_str(&format!(r#"{{"a":[{text}]}}"#)).unwrap();
            assert!(engine_json(&value).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = |levels| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let text = engine_json(&deep(5000)).unwrap();
        assert_eq!(text, format!("{}null{}", "[".repeat(5000), "]".repeat(5000)));
        assert_eq!(jcs(&deep(5000)), Err(NotCanonical::TooDeep));
        assert!(jcs(&deep(MAX_DEPTH)).is_ok());
    }

    #[test]
    fn rfc_8785_section_3_2_2() {
        let input = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(jcs(&serde_json::from_str(input).unwrap()).unwrap(), expected);
    }

    #[test]
    fn rfc_8785_section_3_2_3() {
        let input = r#"{
            "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
            "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis"
        }"#;
        let text = jcs(&serde_json::from_str(input).unwrap()).unwrap();
        let order = ["Carriage Return", "One", "Control", "Latin Small", "Euro Sign", "Emoji", "Hebrew"];
        let places: Vec<_> = order.iter().map(|name| text.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn rfc_8785_appendix_b() {
        let table: [(u64, &str); 24] = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ];
        for (bits, expected) in table {
            let number = f64::from_bits(bits);
            assert_eq!(jcs(&json!(number)).unwrap(), expected, "{bits:x}");
            // What a reader of the text gets is the same number.
            let read: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(jcs(&read).unwrap(), expected, "{bits:x}");
        }
    }

    #[test]
    fn an_integer_that_would_be_rounded_has_no_jcs_form() {
        assert_eq!(jcs(&json!(9_007_199_254_740_993_u64)), Err(NotCanonical::Number("9007199254740993".to_owned())));
        assert_eq!(jcs(&json!(u64::MAX)), Err(NotCanonical::Number(u64::MAX.to_string())));
        for exact in [json!(1_u64 << 63), json!(i64::MIN), json!(-9_007_199_254_740_991_i64), json!(0)] {
            assert!(jcs(&exact).is_ok(), "{exact}");
        }
    }

    fn signable() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn engine_json_reads_back_as_the_same(value in signable()) {
            let text = engine_json(&value).unwrap();
            prop_assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
