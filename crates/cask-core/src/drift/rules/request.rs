//! What a caller sends.

use super::Area::{Body, Bounds, Enum, Envelope, Field, Format, Media, Null, Param, Presence, Type};
use super::Direction::Request;
use super::Kind::{Added, AddedAlways, Changed, Lowered, Raised, Removed};
use super::Mirror::{Code, Itself, Waived};
use super::{CERTAIN, ChangeRule, RARE, RAREST, SELDOM, row};
use crate::finding::Severity::{Breaking, Info, Warning};

pub(super) static RULES: &[ChangeRule] = &[
    row(
        (Request, Param, AddedAlways),
        "request-param-required",
        Breaking,
        RARE,
        Code("request-param-gone"),
        "a parameter that every call now has",
        "A query or header parameter that no call had before is now in every call, so the service probably demands it. \
         Tools do not send it and may be refused. Mint again so that they can.",
    ),
    row(
        (Request, Param, Added),
        "request-param-new",
        Info,
        RAREST,
        Code("request-param-gone"),
        "a parameter that some calls now have",
        "Some calls carry a query or header parameter that none had before. \
         Nothing breaks: callers without it are served as well. Minting again makes it available to tools.",
    ),
    row(
        (Request, Param, Removed),
        "request-param-gone",
        Info,
        RARE,
        Code("request-param-required"),
        "a parameter that every call had is no longer sent",
        "Every call used to carry this parameter and none does now. \
         The service may ignore or refuse it; tools go on sending it until they are minted again.",
    ),
    row(
        (Request, Field, AddedAlways),
        "request-field-required",
        Breaking,
        RARE,
        Code("request-field-gone"),
        "a body field that every call now has",
        "A member of the request body that no call had before is now in every call, so the service probably demands it. \
         Tools do not send it and may be refused. Mint again so that they can.",
    ),
    row(
        (Request, Field, Added),
        "request-field-new",
        Info,
        RAREST,
        Code("request-field-gone"),
        "a body field that some calls now have",
        "Some calls carry a member in the request body that none had before. \
         Nothing breaks: callers without it are served as well. Minting again makes it available to tools.",
    ),
    row(
        (Request, Field, Removed),
        "request-field-gone",
        Info,
        RARE,
        Code("request-field-required"),
        "a body field that every call had is no longer sent",
        "Every call used to carry this member of the request body and none does now. \
         The service may ignore or refuse it; tools go on sending it until they are minted again.",
    ),
    row(
        (Request, Field, Changed),
        "request-field-renamed",
        Breaking,
        RARE,
        Itself,
        "a body field has another name",
        "One member of the request body is no longer sent and another of the same shape has taken its place in every call. \
         Tools send the old name and may be refused or ignored. Mint again and review the new arguments.",
    ),
    row(
        (Request, Presence, Raised),
        "request-became-required",
        Warning,
        RAREST,
        Code("request-became-optional"),
        "what was optional is now always sent",
        "Calls used to leave this out now and then; now every call has it. \
         The service may have begun to demand it. Tools may still leave it out, so look before they are refused.",
    ),
    row(
        (Request, Presence, Lowered),
        "request-became-optional",
        Info,
        RAREST,
        Code("request-became-required"),
        "what was always sent is now optional",
        "Every call used to have this, and now some do without it. \
         Nothing breaks: tools go on sending it.",
    ),
    row(
        (Request, Type, Changed),
        "request-retyped",
        Breaking,
        SELDOM,
        Itself,
        "a parameter or body field has another type",
        "What callers send here now has a JSON type that was never sent before, and the old one is no longer sent. \
         Tools are held to the old type by their signed schema and may be refused by the service. Mint again and review.",
    ),
    row(
        (Request, Type, Added),
        "request-type-new",
        Info,
        SELDOM,
        Waived("a type that is no longer sent takes nothing away from tools that never sent it"),
        "a parameter or body field also takes another type",
        "Callers also send another JSON type here, beside the one that was accepted. \
         Tools are not affected, because they keep to the accepted type.",
    ),
    row(
        (Request, Null, Added),
        "request-nullable",
        Info,
        SELDOM,
        Waived("a null that is no longer sent takes nothing away from tools that never send it"),
        "callers now send null here",
        "Callers now send null in a place where they always sent a value. \
         Nothing breaks: the service accepts both. Minting again lets tools do the same.",
    ),
    row(
        (Request, Envelope, Changed),
        "request-envelope",
        Breaking,
        SELDOM,
        Itself,
        "a list in the request is now wrapped, or no longer wrapped",
        "A list that was sent as it is now goes inside an object, or the other way round. \
         Tools send the old form and will probably be refused. Mint again and review the new arguments.",
    ),
    row(
        (Request, Enum, Added),
        "request-enum-widened",
        Info,
        SELDOM,
        Code("request-enum-narrowed"),
        "callers send a value that was not one of the known ones",
        "A value came up that the accepted enumeration does not have. \
         Tools cannot send it until they are minted again; nothing breaks.",
    ),
    row(
        (Request, Enum, Removed),
        "request-enum-narrowed",
        Breaking,
        CERTAIN,
        Code("request-enum-widened"),
        "the description no longer allows a value",
        "A published description lists fewer values than the accepted one. Tools may still send the others and be refused. \
         This is never concluded from traffic: a value that nobody sent is not a value that is gone.",
    ),
    row(
        (Request, Format, Changed),
        "request-format-changed",
        Warning,
        RARE,
        Itself,
        "a parameter or body field has another format",
        "All values that callers send here now have another format, for example a UUID where a number in text was. \
         Identifiers that an agent kept may no longer be accepted.",
    ),
    row(
        (Request, Bounds, Lowered),
        "request-bounds-narrowed",
        Warning,
        CERTAIN,
        Waived("wider bounds break no caller"),
        "the description has other bounds",
        "A published description gives another bound or pattern for what callers may send. \
         Tools were approved with the old one and may be refused with values that used to be accepted.",
    ),
    row(
        (Request, Body, AddedAlways),
        "request-body-required",
        Breaking,
        RARE,
        Code("request-body-gone"),
        "every call now has a body",
        "No call had a body before and now every call has one, so the service probably demands it. \
         Tools send none and may be refused. Mint again and review the new arguments.",
    ),
    row(
        (Request, Body, Removed),
        "request-body-gone",
        Info,
        RARE,
        Code("request-body-required"),
        "no call has a body any more",
        "Every call used to have a body and none does now. \
         The service may ignore or refuse what tools go on sending; mint again to follow it.",
    ),
    row(
        (Request, Media, Changed),
        "request-media-changed",
        Breaking,
        RARE,
        Itself,
        "the request body has another media type",
        "All bodies are now sent with another media type, for example JSON where a form was. \
         Tools send the accepted one and may be refused with 415.",
    ),
];
