//! Operations on block blobs.

use super::block_list::{self, Source};
use super::containers::{metadata_of, stamped, with_metadata};
use super::problem;
use super::range::{self, Wanted};
use super::store::{Blob, Container, LARGEST_ACCOUNT, Stamp};
use crate::call::{Call, Reply};
use crate::clock;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Content headers a client sets, with the name they have in an answer.
const CONTENT_HEADERS: [(&str, &str); 6] = [
    ("x-ms-blob-content-type", "content-type"),
    ("x-ms-blob-content-encoding", "content-encoding"),
    ("x-ms-blob-content-language", "content-language"),
    ("x-ms-blob-content-md5", "content-md5"),
    ("x-ms-blob-cache-control", "cache-control"),
    ("x-ms-blob-content-disposition", "content-disposition"),
];

/// Most blocks that may be staged for one blob.
const MOST_STAGED: usize = 100_000;

fn not_found() -> Reply {
    problem(404, "BlobNotFound", "The specified blob does not exist.")
}

fn find<'a>(container: &'a Container, name: &str) -> Result<&'a Blob, Reply> {
    container.blobs.get(name).ok_or_else(not_found)
}

/// Checks `If-Match` and `If-None-Match` (RFC 9110, section 13.1).
fn check_conditions(blob: Option<&Blob>, call: &Call) -> Result<(), Reply> {
    let not_met =
        || problem(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");
    let names = |header: &str, blob: &Blob| {
        header.split(',').any(|tag| matches!(tag.trim(), "*") || tag.trim() == blob.stamp.etag)
    };
    if let Some(wanted) = call.header("if-match")
        && !blob.is_some_and(|blob| names(wanted, blob))
    {
        return Err(not_met());
    }
    let Some((unwanted, blob)) = call.header("if-none-match").zip(blob) else { return Ok(()) };
    if !names(unwanted, blob) {
        return Ok(());
    }
    if matches!(call.method, Method::GET | Method::HEAD) {
        return Err(stamped(problem(304, "ConditionNotMet", "The condition is not met."), &blob.stamp));
    }
    if unwanted.trim() == "*" {
        return Err(problem(409, "BlobAlreadyExists", "The specified blob already exists."));
    }
    Err(not_met())
}

fn content_headers(call: &Call) -> BTreeMap<&'static str, String> {
    CONTENT_HEADERS.iter().filter_map(|(sent, kept)| Some((*kept, call.header(sent)?.to_owned()))).collect()
}

fn check_room(container: &Container, more: usize) -> Result<(), Reply> {
    if container.size().saturating_add(more) > LARGEST_ACCOUNT {
        return Err(problem(
            507,
            "InsufficientStorage",
            format!("The emulator's storage account holds at most {LARGEST_ACCOUNT} bytes."),
        ));
    }
    Ok(())
}

fn commit(
    container: &mut Container,
    name: &str,
    call: &Call,
    blocks: Vec<(String, Bytes)>,
    content_type: Option<String>,
) -> Reply {
    let stamp = Stamp::now();
    let mut headers = content_headers(call);
    headers.entry("content-type").or_insert_with(|| content_type.unwrap_or_else(|| "application/octet-stream".into()));
    let created = container.blobs.get(name).map_or(stamp.modified, |blob| blob.created);
    container.staged.remove(name);
    container
        .blobs
        .insert(name.to_owned(), Blob { stamp: stamp.clone(), created, blocks, headers, metadata: metadata_of(call) });
    stamped(Reply::new(201), &stamp).header("x-ms-request-server-encrypted", "true")
}

/// Put Blob.
pub(super) fn put(container: &mut Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    match call.header("x-ms-blob-type") {
        Some("BlockBlob") => {}
        Some(other) => {
            return Err(problem(501, "NotImplemented", format!("The emulator does not keep blobs of type {other}.")));
        }
        None => {
            return Err(problem(
                400,
                "MissingRequiredHeader",
                "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type.",
            ));
        }
    }
    check_conditions(container.blobs.get(name), call)?;
    check_room(container, call.body.len())?;
    let content_type = call.header("content-type").map(str::to_owned);
    Ok(commit(container, name, call, vec![(String::new(), call.body.clone())], content_type))
}

/// Put Block.
pub(super) fn put_block(container: &mut Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    let invalid = |message: &str| {
        problem(
            400,
            "InvalidQueryParameterValue",
            format!("Value for one of the query parameters specified in the request URI is invalid: {message}"),
        )
    };
    let id = call.parameter("blockid").filter(|id| !id.is_empty()).ok_or_else(|| invalid("blockid is missing."))?;
    if STANDARD.decode(id).map_or(true, |decoded| decoded.len() > 64) {
        return Err(invalid("blockid is not Base64 of at most 64 bytes."));
    }
    check_room(container, call.body.len())?;
    let staged = container.staged.entry(name.to_owned()).or_default();
    if staged.keys().next().is_some_and(|other| other.len() != id.len()) {
        return Err(problem(
            400,
            "InvalidBlobOrBlock",
            "The specified blob or block content is invalid: block ids of one blob have the same length.",
        ));
    }
    if staged.len() >= MOST_STAGED {
        return Err(problem(
            409,
            "BlockCountExceedsLimit",
            "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.",
        ));
    }
    staged.insert(id.to_owned(), call.body.clone());
    Ok(Reply::new(201).header("x-ms-request-server-encrypted", "true"))
}

/// Put Block List.
pub(super) fn put_block_list(container: &mut Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    let wanted = block_list::read(&call.body)
        .ok_or_else(|| problem(400, "InvalidXmlDocument", "XML specified is not syntactically valid."))?;
    check_conditions(container.blobs.get(name), call)?;
    let nothing = BTreeMap::new();
    let staged = container.staged.get(name).unwrap_or(&nothing);
    let committed = container.blobs.get(name).map(|blob| blob.blocks.as_slice()).unwrap_or_default();
    let mut blocks = Vec::with_capacity(wanted.len());
    for (source, id) in wanted {
        let new = staged.get(&id);
        let old = committed.iter().find(|(other, _)| *other == id).map(|(_, data)| data);
        let data = match source {
            Source::Uncommitted => new,
            Source::Committed => old,
            Source::Latest => new.or(old),
        };
        let data = data.ok_or_else(|| problem(400, "InvalidBlockList", "The specified block list is invalid."))?;
        blocks.push((id, data.clone()));
    }
    Ok(commit(container, name, call, blocks, None))
}

/// Get Block List.
pub(super) fn block_list(container: &Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    let kind = call.parameter("blocklisttype").unwrap_or("committed").to_ascii_lowercase();
    let staged = container.staged.get(name);
    let blob = container.blobs.get(name);
    if staged.is_none() && blob.is_none() {
        return Err(not_found());
    }
    let mut xml = String::from("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    let mut part = |element: &str, blocks: &mut dyn Iterator<Item = (&String, &Bytes)>| {
        let _ = write!(xml, "<{element}>");
        for (id, data) in blocks {
            let _ = write!(xml, "<Block><Name>{id}</Name><Size>{}</Size></Block>", data.len());
        }
        let _ = write!(xml, "</{element}>");
    };
    if kind != "uncommitted" {
        let blocks = blob.map(|blob| blob.blocks.as_slice()).unwrap_or_default();
        part("CommittedBlocks", &mut blocks.iter().filter(|(id, _)| !id.is_empty()).map(|(id, data)| (id, data)));
    }
    if kind != "committed" {
        part("UncommittedBlocks", &mut staged.into_iter().flatten());
    }
    xml.push_str("</BlockList>");
    let reply = Reply::new(200).header("content-type", "application/xml").body(xml);
    Ok(match blob {
        Some(blob) => stamped(reply, &blob.stamp).header("x-ms-blob-content-length", blob.len().to_string()),
        None => reply,
    })
}

/// Get Blob and Get Blob Properties.
pub(super) fn get(container: &Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    let blob = find(container, name)?;
    check_conditions(Some(blob), call)?;
    let length = blob.len();
    let described = |status| {
        let reply = stamped(Reply::new(status), &blob.stamp)
            .header("accept-ranges", "bytes")
            .header("x-ms-blob-type", "BlockBlob")
            .header("x-ms-creation-time", clock::http_date(blob.created))
            .header("x-ms-lease-status", "unlocked")
            .header("x-ms-lease-state", "available")
            .header("x-ms-server-encrypted", "true");
        let reply = blob.headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value));
        with_metadata(reply, &blob.metadata)
    };
    if call.method == Method::HEAD {
        return Ok(described(200)
            .header("content-length", length.to_string())
            .header("x-ms-access-tier", "Hot")
            .header("x-ms-access-tier-inferred", "true"));
    }
    match range::wanted(call, length) {
        Wanted::Everything => Ok(described(200).body(blob.read(0, length))),
        Wanted::Part(start, end) => {
            let reply = described(206).header("content-range", format!("bytes {start}-{}/{length}", end - 1));
            // The stored hash is that of the whole, which a part does not have.
            let reply = match reply.headers.get("content-md5").and_then(|hash| hash.to_str().ok()).map(str::to_owned) {
                Some(hash) => reply.header("x-ms-blob-content-md5", hash),
                None => reply,
            };
            let mut reply = reply.body(blob.read(start, end));
            reply.headers.remove("content-md5");
            Ok(reply)
        }
        Wanted::Unsatisfiable => {
            Err(problem(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
                .header("content-range", format!("bytes */{length}")))
        }
    }
}

/// Get Blob Metadata.
pub(super) fn metadata(container: &Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    let blob = find(container, name)?;
    check_conditions(Some(blob), call)?;
    Ok(with_metadata(stamped(Reply::new(200), &blob.stamp), &blob.metadata))
}

/// Set Blob Metadata.
pub(super) fn set_metadata(container: &mut Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    check_conditions(container.blobs.get(name), call)?;
    let blob = container.blobs.get_mut(name).ok_or_else(not_found)?;
    blob.metadata = metadata_of(call);
    blob.stamp = Stamp::now();
    Ok(stamped(Reply::new(200), &blob.stamp).header("x-ms-request-server-encrypted", "true"))
}

/// Delete Blob.
pub(super) fn delete(container: &mut Container, name: &str, call: &Call) -> Result<Reply, Reply> {
    let blob = find(container, name)?;
    check_conditions(Some(blob), call)?;
    container.blobs.remove(name);
    Ok(Reply::new(202).header("x-ms-delete-type-permanent", "true"))
}
