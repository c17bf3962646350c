//! Operations on containers, and the listings.

use super::problem;
use super::store::{Account, Blob, Container, Metadata, Stamp};
use crate::call::{Call, Reply};
use crate::clock;
use quick_xml::escape::escape;
use std::fmt::Write;

/// Items on a page of a listing, unless `maxresults` says less.
const PAGE: usize = 5_000;

/// Most containers of an account.
const MOST: usize = 10_000;

pub(super) fn find<'a>(account: &'a mut Account, name: &str) -> Result<&'a mut Container, Reply> {
    // An account's own bound keeps memory in hand; it is checked where bytes come in.
    let held: usize = account.values().map(Container::size).sum();
    let container = account.get_mut(name).ok_or_else(not_found)?;
    if held > super::store::LARGEST_ACCOUNT {
        container.staged.clear();
        return Err(problem(507, "InsufficientStorage", "The emulator's storage account is full."));
    }
    Ok(container)
}

fn not_found() -> Reply {
    problem(404, "ContainerNotFound", "The specified container does not exist.")
}

/// The metadata in `x-ms-meta-…` headers.
pub(super) fn metadata_of(call: &Call) -> Metadata {
    call.headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-ms-meta-")?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

/// Sets `ETag` and `Last-Modified`.
pub(super) fn stamped(reply: Reply, stamp: &Stamp) -> Reply {
    reply.header("etag", &stamp.etag).header("last-modified", clock::http_date(stamp.modified))
}

/// Sets the `x-ms-meta-…` headers.
pub(super) fn with_metadata(reply: Reply, metadata: &Metadata) -> Reply {
    metadata.iter().fold(reply, |reply, (name, value)| reply.header(&format!("x-ms-meta-{name}"), value))
}

pub(super) fn create(account: &mut Account, name: &str, call: &Call) -> Result<Reply, Reply> {
    if account.contains_key(name) {
        return Err(problem(409, "ContainerAlreadyExists", "The specified container already exists."));
    }
    if call.headers.contains_key("x-ms-blob-public-access") {
        return Err(problem(
            409,
            "PublicAccessNotPermitted",
            "Public access is not permitted on this storage account.",
        ));
    }
    if account.len() >= MOST {
        return Err(problem(
            507,
            "InsufficientStorage",
            format!("The emulator's storage account has at most {MOST} containers."),
        ));
    }
    let container = Container::new(metadata_of(call));
    let reply = stamped(Reply::new(201), &container.stamp);
    account.insert(name.to_owned(), container);
    Ok(reply)
}

pub(super) fn properties(account: &mut Account, name: &str) -> Result<Reply, Reply> {
    let container = find(account, name)?;
    let reply = stamped(Reply::new(200), &container.stamp)
        .header("x-ms-lease-status", "unlocked")
        .header("x-ms-lease-state", "available")
        .header("x-ms-has-immutability-policy", "false")
        .header("x-ms-has-legal-hold", "false");
    Ok(with_metadata(reply, &container.metadata))
}

pub(super) fn delete(account: &mut Account, name: &str) -> Result<Reply, Reply> {
    account.remove(name).ok_or_else(not_found)?;
    Ok(Reply::new(202))
}

/// What a listing asks for.
struct Page<'a> {
    prefix: &'a str,
    marker: &'a str,
    size: usize,
    with_metadata: bool,
}

impl<'a> Page<'a> {
    fn of(call: &'a Call) -> Result<Self, Reply> {
        let text = |name: &str| call.parameter(name).unwrap_or_default();
        let size = match text("maxresults") {
            "" => PAGE,
            number => match number.parse::<usize>() {
                Ok(size) if size > 0 => size.min(PAGE),
                _ => {
                    return Err(problem(
                        400,
                        "OutOfRangeQueryParameterValue",
                        "One of the query parameters specified in the request URI is outside the permissible range: maxresults.",
                    ));
                }
            },
        };
        let mut with_metadata = false;
        for part in text("include").split(',').filter(|part| !part.is_empty()) {
            match part {
                "metadata" => with_metadata = true,
                other => return Err(problem(501, "NotImplemented", format!("The emulator does not list {other}."))),
            }
        }
        Ok(Self { prefix: text("prefix"), marker: text("marker"), size, with_metadata })
    }

    fn head(&self) -> String {
        let mut xml = String::new();
        for (name, value) in [("Prefix", self.prefix), ("Marker", self.marker)] {
            if !value.is_empty() {
                tag(&mut xml, name, value);
            }
        }
        tag(&mut xml, "MaxResults", &self.size.to_string());
        xml
    }
}

fn tag(xml: &mut String, name: &str, value: &str) {
    let _ = write!(xml, "<{name}>{}</{name}>", escape(value));
}

fn metadata_xml(xml: &mut String, metadata: &Metadata) {
    xml.push_str("<Metadata>");
    for (name, value) in metadata {
        tag(xml, name, value);
    }
    xml.push_str("</Metadata>");
}

fn listing(call: &Call, attributes: &str, inner: &str) -> Reply {
    let xml = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://{}/\"{attributes}>{inner}</EnumerationResults>",
        call.host
    );
    Reply::new(200).header("content-type", "application/xml").body(xml)
}

/// `GET /?comp=list`.
pub(super) fn list(account: &Account, call: &Call) -> Result<Reply, Reply> {
    let page = Page::of(call)?;
    let mut found = account.iter().filter(|(name, _)| name.starts_with(page.prefix) && name.as_str() >= page.marker);
    let mut xml = page.head();
    xml.push_str("<Containers>");
    for (name, container) in found.by_ref().take(page.size) {
        xml.push_str("<Container>");
        tag(&mut xml, "Name", name);
        let _ = write!(
            xml,
            "<Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><HasImmutabilityPolicy>false</HasImmutabilityPolicy><HasLegalHold>false</HasLegalHold></Properties>",
            clock::http_date(container.stamp.modified),
            escape(container.stamp.etag.as_str()),
        );
        if page.with_metadata {
            metadata_xml(&mut xml, &container.metadata);
        }
        xml.push_str("</Container>");
    }
    xml.push_str("</Containers>");
    tag(&mut xml, "NextMarker", found.next().map_or("", |(name, _)| name));
    Ok(listing(call, "", &xml))
}

/// `GET /{container}?restype=container&comp=list`, flat or, with `delimiter`, by folder.
pub(super) fn list_blobs(account: &mut Account, name: &str, call: &Call) -> Result<Reply, Reply> {
    let page = Page::of(call)?;
    let container = find(account, name)?;
    let delimiter = call.parameter("delimiter").unwrap_or_default();
    let mut xml = page.head();
    if !delimiter.is_empty() {
        tag(&mut xml, "Delimiter", delimiter);
    }
    xml.push_str("<Blobs>");
    let (mut listed, mut next, mut last_folder) = (0, String::new(), String::new());
    for (name, blob) in container.blobs.range(page.marker.to_owned()..) {
        let Some(rest) = name.strip_prefix(page.prefix) else { continue };
        let folder = (!delimiter.is_empty())
            .then(|| rest.find(delimiter).map(|at| &name[..page.prefix.len() + at + delimiter.len()]))
            .flatten();
        if folder.is_some_and(|folder| folder == last_folder) {
            continue;
        }
        if listed == page.size {
            next.clone_from(name);
            break;
        }
        listed += 1;
        match folder {
            Some(folder) => {
                last_folder = folder.to_owned();
                xml.push_str("<BlobPrefix>");
                tag(&mut xml, "Name", folder);
                xml.push_str("</BlobPrefix>");
            }
            None => blob_xml(&mut xml, name, blob, page.with_metadata),
        }
    }
    xml.push_str("</Blobs>");
    tag(&mut xml, "NextMarker", &next);
    Ok(listing(call, &format!(" ContainerName=\"{}\"", escape(name)), &xml))
}

fn blob_xml(xml: &mut String, name: &str, blob: &Blob, with_metadata: bool) {
    xml.push_str("<Blob>");
    tag(xml, "Name", name);
    xml.push_str("<Properties>");
    tag(xml, "Creation-Time", &clock::http_date(blob.created));
    tag(xml, "Last-Modified", &clock::http_date(blob.stamp.modified));
    tag(xml, "Etag", blob.stamp.etag.trim_matches('"'));
    tag(xml, "Content-Length", &blob.len().to_string());
    for (element, header) in [
        ("Content-Type", "content-type"),
        ("Content-Encoding", "content-encoding"),
        ("Content-Language", "content-language"),
        ("Content-MD5", "content-md5"),
        ("Cache-Control", "cache-control"),
        ("Content-Disposition", "content-disposition"),
    ] {
        tag(xml, element, blob.headers.get(header).map_or("", String::as_str));
    }
    xml.push_str("<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>");
    if with_metadata {
        metadata_xml(xml, &blob.metadata);
    }
    xml.push_str("<OrMetadata /></Blob>");
}
