import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// Compresses the body for whoever asks for it; written in pieces, so its length is not told.
    ///
    /// An answer that nobody asks to be coded stays as it is; only where a cache may keep it is the cache told.
    /// - Parameter accept: the Accept-Encoding header. RFC 9110 §12.5.3.
    mutating func compress(for accept: String?) {
        guard let accept else {
            if headers.contains(.cacheControl) { headers.varyByCoding() }
            return
        }
        let isText = AnswerCoding.isText(status, headers)
        // What says that nothing has changed says so of both forms. RFC 9110 §15.4.5.
        if isText || status == .notModified { headers.varyByCoding() }
        guard isText, body.contentLength ?? .max >= AnswerCoding.bytesMin, ContentCoding.best(of: accept) == .gzip
        else { return }
        headers[.contentEncoding] = "gzip"
        // Other bytes than those the tag and the ranges are of. RFC 9110 §8.8.3.3.
        if let tag = headers[.eTag], !tag.hasPrefix("W/") { headers[.eTag] = "W/" + tag }
        headers[.acceptRanges] = nil
        let plain = body
        body = ResponseBody { writer in
            let peer = writer
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await plain.write(try GzipBodyWriter(peer))
            }
        }
    }

    /// The answer to HEAD: that to GET without its content. Where the length of that is not known, none is told.
    /// RFC 9110 §9.3.2.
    func withoutContent() -> Response {
        if headers.contains(.contentLength) { return createHeadResponse() }
        var response = self
        response.body = ResponseBody { writer in try await writer.finish(nil) }
        return response
    }
}
