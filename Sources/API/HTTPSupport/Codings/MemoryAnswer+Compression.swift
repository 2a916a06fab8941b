import HTTPTypes
import NIOCore

extension MemoryAnswer {
    /// The answer for whoever asks for codings; nil where it has to be compressed the usual way.
    func compressed(for accept: String) -> MemoryAnswer? {
        let isText = AnswerCoding.isText(status, headers)
        guard isText || status == .notModified else { return self }
        var answer = self
        answer.headers.varyByCoding()
        guard isText, length >= AnswerCoding.bytesMin, ContentCoding.best(of: accept) == .gzip else { return answer }
        guard length <= AnswerCoding.memoryBytesMax, case .bytes(let bytes) = body,
            let coded = try? GzipEncoder.whole(bytes)
        else { return nil }
        answer.headers[.contentEncoding] = "gzip"
        return MemoryAnswer(
            status: status, headers: answer.headers, body: .bytes(coded), record: record, permit: permit, holds: holds)
    }
}
