//! What one argument may be. What cannot be judged is refused.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::canon::EXACT;

/// A limit of one of four forms: a closed set, a range of numbers, a beginning, or one value.
///
/// A list is held to it item by item, and an empty one counts as no argument at all.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The one value that it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<Value>,
    /// The values that it may have.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// The greatest number that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// The least number that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// How its text has to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Whether a call may leave it out: the service's own default is then what counts, and nobody here knows that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// How an argument misses its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It has to be given.
    Missing,
    /// It is not the one value.
    Constant,
    /// It is none of the values.
    Value,
    /// It is too small.
    Below,
    /// It is too great.
    Above,
    /// It is no number.
    NotANumber,
    /// It begins otherwise.
    Prefix,
    /// The limit itself says nothing.
    Limit,
}

impl Misfit {
    /// In words, without the value and without the limit: either may be nobody's business.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Misfit::Missing => "has to be given",
            Misfit::Constant => "is not the one value that is allowed",
            Misfit::Value => "is not one of the values that are allowed",
            Misfit::Below => "is smaller than what is allowed",
            Misfit::Above => "is greater than what is allowed",
            Misfit::NotANumber => "is not a number, and only a range of numbers is allowed",
            Misfit::Prefix => "does not begin as it has to",
            Misfit::Limit => "has a limit that cannot be read, so nothing is allowed",
        }
    }
}

/// The form of a limit, if it has exactly one.
enum Form<'l> {
    Constant(&'l Value),
    Values(&'l [Value]),
    Range(Option<i64>, Option<i64>),
    Prefix(&'l str),
}

/// Most values of a closed set.
const MAX_VALUES: usize = 200;
/// The longest text in a limit, in bytes.
const MAX_TEXT: usize = 200;

impl Limit {
    fn form(&self) -> Option<Form<'_>> {
        let ranged = self.min.is_some() || self.max.is_some();
        match (&self.constant, self.values.as_slice(), ranged, &self.prefix) {
            (Some(one), [], false, None) => Some(Form::Constant(one)),
            (None, [_, ..], false, None) => Some(Form::Values(&self.values)),
            (None, [], true, None) => Some(Form::Range(self.min, self.max)),
            (None, [], false, Some(prefix)) => Some(Form::Prefix(prefix)),
            _ => None,
        }
    }

    /// Why this is no limit, if it is none.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let bound = |bound: i64| bound.unsigned_abs() <= EXACT;
        match self.form() {
            None => Some("a limit is one of `constant`, `enum`, `prefix`, or `min` and `max`"),
            Some(Form::Constant(one)) => (!is_value(one)).then_some(VALUES),
            Some(Form::Values(all)) if all.len() > MAX_VALUES => Some("an `enum` has at most 200 values"),
            Some(Form::Values(all)) => (!all.iter().all(is_value)).then_some(VALUES),
            Some(Form::Range(min, max)) => {
                if !min.into_iter().chain(max).all(bound) {
                    Some("`min` and `max` are whole numbers up to 2^53")
                } else if min.zip(max).is_some_and(|(min, max)| min > max) {
                    Some("`min` is greater than `max`: nothing is allowed")
                } else {
                    None
                }
            }
            Some(Form::Prefix(text)) => {
                (text.is_empty() || !is_text(text)).then_some("a `prefix` is 1 to 200 bytes of one line")
            }
        }
    }

    /// How an argument misses it, if it does.
    #[must_use]
    pub fn misfit(&self, argument: Option<&Value>) -> Option<Misfit> {
        let items: &[Value] = match argument {
            None => &[],
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        if items.is_empty() {
            return (!self.optional).then_some(Misfit::Missing);
        }
        items.iter().find_map(|item| self.refuses(item))
    }

    fn refuses(&self, item: &Value) -> Option<Misfit> {
        match self.form() {
            None => Some(Misfit::Limit),
            Some(Form::Constant(one)) => (!alike(one, item)).then_some(Misfit::Constant),
            Some(Form::Values(all)) => (!all.iter().any(|one| alike(one, item))).then_some(Misfit::Value),
            Some(Form::Prefix(prefix)) => {
                item.as_str().is_none_or(|text| !text.starts_with(prefix)).then_some(Misfit::Prefix)
            }
            Some(Form::Range(min, max)) => {
                let Value::Number(number) = item else { return Some(Misfit::NotANumber) };
                let is = |bound: Option<i64>, wrong: Ordering| {
                    bound.is_some_and(|bound| compare(number, bound).is_none_or(|order| order == wrong))
                };
                if is(min, Ordering::Less) {
                    Some(Misfit::Below)
                } else {
                    is(max, Ordering::Greater).then_some(Misfit::Above)
                }
            }
        }
    }

    /// Whether everything that fits the other one fits this one, as far as can be told from the two.
    #[must_use]
    pub fn covers(&self, other: &Limit) -> bool {
        let (Some(mine), Some(theirs)) = (self.form(), other.form()) else { return false };
        if other.optional && !self.optional {
            return false;
        }
        let fits = |value: &Value| self.refuses(value).is_none();
        match (mine, theirs) {
            (_, Form::Constant(one)) => fits(one),
            (_, Form::Values(all)) => all.iter().all(fits),
            (Form::Range(min, max), Form::Range(low, high)) => {
                min.is_none_or(|min| low.is_some_and(|low| low >= min))
                    && max.is_none_or(|max| high.is_some_and(|high| high <= max))
            }
            (Form::Prefix(mine), Form::Prefix(theirs)) => theirs.starts_with(mine),
            _ => false,
        }
    }

    /// Whether a value of one of these JSON types can fit it at all.
    #[must_use]
    pub fn suits(&self, types: &[&str]) -> bool {
        let number = || types.contains(&"integer") || types.contains(&"number");
        let suits = |value: &Value| match value {
            Value::String(_) => types.contains(&"string"),
            Value::Bool(_) => types.contains(&"boolean"),
            _ => number(),
        };
        match self.form() {
            None => false,
            Some(Form::Constant(one)) => suits(one),
            Some(Form::Values(all)) => all.iter().any(suits),
            Some(Form::Range(..)) => number(),
            Some(Form::Prefix(_)) => types.contains(&"string"),
        }
    }
}

const VALUES: &str = "a value is text of at most 200 bytes, a whole number up to 2^53, or true or false";

fn is_value(value: &Value) -> bool {
    match value {
        Value::String(text) => is_text(text),
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() <= EXACT),
        Value::Bool(_) => true,
        _ => false,
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= MAX_TEXT && !text.chars().any(char::is_control)
}

/// Whether an argument is a value of a limit: to JSON Schema `5.0` is 5.
fn alike(one: &Value, argument: &Value) -> bool {
    match (one, argument) {
        (Value::Number(one), Value::Number(argument)) => {
            one.as_i64().is_some_and(|one| compare(argument, one) == Some(Ordering::Equal))
        }
        (Value::String(one), Value::String(argument)) => one == argument,
        (Value::Bool(one), Value::Bool(argument)) => one == argument,
        _ => false,
    }
}

/// A number against a bound that a double holds exactly.
fn compare(number: &Number, bound: i64) -> Option<Ordering> {
    if let Some(number) = number.as_i64() {
        return Some(number.cmp(&bound));
    }
    if number.as_u64().is_some() {
        return Some(Ordering::Greater);
    }
    number.as_f64()?.partial_cmp(&(bound as f64))
}
