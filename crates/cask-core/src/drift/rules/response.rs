//! What a caller gets.

use super::Area::{Body, Enum, Envelope, Field, Format, Media, Null, Presence, Status, Type};
use super::Direction::Response;
use super::Kind::{Added, AddedAlways, Changed, Lowered, Raised, Removed, Unseen};
use super::Mirror::{Code, Itself, Waived};
use super::{ChangeRule, NULLS, RARE, RAREST, SELDOM, UNSEEN, row};
use crate::finding::Severity::{Breaking, Info, Warning};

pub(super) static RULES: &[ChangeRule] = &[
    row(
        (Response, Field, Removed),
        "response-field-removed",
        Breaking,
        RARE,
        Code("response-field-added"),
        "a field that was always in the answer is gone",
        "Every answer of the baseline had this field and none has it now, with enough answers on both sides that chance \
         does not explain it. Callers that read it break. A field that was only sometimes there is never called removed.",
    ),
    row(
        (Response, Field, Unseen),
        "response-field-unobserved",
        Info,
        UNSEEN,
        Code("response-field-new"),
        "an optional field that used to be frequent was not seen",
        "This field was in many answers of the baseline but not in all, and it is in none of the new ones. \
         Nothing shows that it is gone: an optional field may depend on what was asked for. Callers already have to do \
         without it.",
    ),
    row(
        (Response, Field, AddedAlways),
        "response-field-added",
        Info,
        RARE,
        Code("response-field-removed"),
        "a field that is now in every answer",
        "Every answer now has a field that none had before. \
         Callers that ignore unknown fields are not affected. Look whether it carries anything an agent should not read.",
    ),
    row(
        (Response, Field, Changed),
        "response-field-renamed",
        Breaking,
        RARE,
        Itself,
        "a field has another name",
        "One field is gone and another of the same shape has taken its place in every answer. \
         Callers that read the old name break. This one finding stands for both differences.",
    ),
    row(
        (Response, Field, Added),
        "response-field-new",
        Info,
        RAREST,
        Code("response-field-unobserved"),
        "a field that some answers now have",
        "Some answers now have a field that none had before, often enough that it was not merely missed. \
         Callers that ignore unknown fields are not affected. Look whether it carries anything an agent should not read.",
    ),
    row(
        (Response, Presence, Lowered),
        "response-became-optional",
        Breaking,
        RAREST,
        Code("response-became-required"),
        "a field that was always there is sometimes missing",
        "Every answer of the baseline had this field; now a part of the answers lacks it. \
         Callers that rely on it break on those. The signed output schema says that it is required.",
    ),
    row(
        (Response, Presence, Raised),
        "response-became-required",
        Info,
        RAREST,
        Code("response-became-optional"),
        "a field that was optional is always there",
        "Answers used to lack this field now and then; now all have it. \
         Nothing breaks: callers had to be ready for both.",
    ),
    row(
        (Response, Type, Changed),
        "response-retyped",
        Breaking,
        SELDOM,
        Itself,
        "a field has another type",
        "The values here now have a JSON type that was never seen before, and the old type is no longer seen. \
         Callers that parse it break, and the answer no longer fits the signed output schema.",
    ),
    row(
        (Response, Type, Added),
        "response-type-new",
        Warning,
        SELDOM,
        Waived("when only one of two types is left, callers had to be ready for it"),
        "a field sometimes has another type",
        "Beside the accepted type another one appeared here. \
         Callers that parse only the accepted type break on those answers.",
    ),
    row(
        (Response, Null, Added),
        "response-nullable",
        Breaking,
        NULLS,
        Code("response-not-null"),
        "a field that always had a value is now null",
        "The baseline never saw null here; now null is frequent enough that it was not merely missed. \
         Callers that use the value without looking break. A rare null is a warning until there is more evidence.",
    ),
    row(
        (Response, Null, Removed),
        "response-not-null",
        Info,
        RARE,
        Code("response-nullable"),
        "a field that could be null always has a value",
        "Null was frequent here and is no longer seen. \
         Nothing breaks: callers had to be ready for both.",
    ),
    row(
        (Response, Envelope, Changed),
        "response-envelope",
        Breaking,
        SELDOM,
        Itself,
        "a list is now wrapped in an object, or no longer wrapped",
        "A list in the answer now stands inside an object, or the other way round. \
         Callers that iterate over it break. The differences inside follow from this one and are not reported again.",
    ),
    row(
        (Response, Enum, Added),
        "response-enum-widened",
        Warning,
        SELDOM,
        Waived(
            "a value that was not seen again is not gone: absence of one value proves nothing about the set",
        ),
        "a value that is not one of the known ones",
        "A value came up that the accepted enumeration does not have, often enough that it was not merely missed. \
         Callers that handle each known value fall through, and the answer no longer fits the signed output schema.",
    ),
    row(
        (Response, Format, Changed),
        "response-format-changed",
        Warning,
        RARE,
        Itself,
        "a field has another format",
        "All values here now have another format, for example a date where a number in text was. \
         Callers that parse it may break.",
    ),
    row(
        (Response, Status, Added),
        "response-status-new",
        Warning,
        RARE,
        Code("response-status-gone"),
        "a status that was never answered",
        "The endpoint now answers with a status that was not seen before, often enough that it was not merely missed. \
         An unknown error status is for information; callers that test for one success status may take another for a failure.",
    ),
    row(
        (Response, Status, Removed),
        "response-status-gone",
        Breaking,
        RARE,
        Code("response-status-new"),
        "the endpoint no longer succeeds",
        "Calls used to succeed and now none does. \
         Either the endpoint demands something that these calls lack, or the capture was made without the right access. \
         What a success would look like was not observed, and nothing is said about it.",
    ),
    row(
        (Response, Status, Changed),
        "response-status-changed",
        Warning,
        RARE,
        Itself,
        "success has another status",
        "Success used to be one status and now is another, for example 202 where 200 was. \
         Callers that test for the old one take success for failure; 202 may also mean that the work is not done yet.",
    ),
    row(
        (Response, Media, Changed),
        "response-media-changed",
        Breaking,
        RARE,
        Itself,
        "the answer has another media type",
        "All answers of this status now have another media type. \
         The runtime accepts only the signed ones and refuses the others.",
    ),
    row(
        (Response, Body, Removed),
        "response-body-gone",
        Breaking,
        RARE,
        Code("response-body-new"),
        "the answer has no body any more",
        "Every answer of this status used to have a body and none has one now. \
         Callers that read it break.",
    ),
    row(
        (Response, Body, AddedAlways),
        "response-body-new",
        Info,
        RARE,
        Code("response-body-gone"),
        "the answer has a body where it had none",
        "Answers of this status had no body before and have one now. \
         Nothing breaks, but an agent now reads something that nobody has reviewed.",
    ),
];
