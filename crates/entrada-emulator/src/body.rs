//! The body of an answer, which a fault may cut short.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that is sent whole, or that breaks off after what it has.
pub(crate) struct AnswerBody {
    data: Option<Bytes>,
    breaks_off: bool,
    /// Whether what there is has had a chance to be sent.
    paused: bool,
}

impl AnswerBody {
    pub(crate) fn whole(data: Bytes) -> Self {
        Self { data: Some(data).filter(|data| !data.is_empty()), breaks_off: false, paused: false }
    }

    pub(crate) fn breaking_off(data: Bytes) -> Self {
        Self { breaks_off: true, ..Self::whole(data) }
    }
}

/// What ends a body that breaks off.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut short by a fault rule")]
pub(crate) struct CutShort;

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.breaks_off && !self.paused {
            // The connection sends what it has while a body has nothing ready, and drops it on an error.
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.breaks_off.then(|| {
            self.breaks_off = false;
            Err(CutShort)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.breaks_off
    }

    fn size_hint(&self) -> SizeHint {
        if self.breaks_off {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.data.as_ref().map_or(0, Bytes::len) as u64)
    }
}
