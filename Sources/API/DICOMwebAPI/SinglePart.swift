import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// What one part of an answer is made of, as caches and those who go on with a broken download know it. RFC 9110 §8.8,
/// §13, §14.
struct SinglePart: Sendable {
    /// How long its bytes stay what they are.
    enum Life: Sendable, Hashable {
        /// An object never has other bytes under its UID and tag.
        case immutable
        /// It may be of other objects the next time: asked for each time.
        case changing
    }

    /// How long a client keeps what never changes before it asks again, in seconds: so long a right that was taken away,
    /// or an object that was rejected, may be seen from its own cache.
    static let freshSeconds = 3_600

    /// With quotes; behind `W/` a weak one.
    let tag: String
    /// Bytes of the whole; nil where ranges are not answered.
    let count: Int64?
    let life: Life

    /// Bytes that are always the same, of which ranges are answered where their count is given. The tag is strong: it names
    /// the stored object and the form that it is sent in.
    init(stored instance: Instance, form: String, count: Int64?) {
        tag = Self.tag([instance.blobID.value, form])
        self.count = count
        life = .immutable
    }

    /// What is made of stored objects in a form. The tag is weak: another release may make other bytes of them. Where one
    /// says of another what it is, the tag tells of whom, and what is made is asked for each time.
    init(madeOf instances: some Sequence<Instance>, form: String, life: Life = .immutable) {
        let subjects = instances.compactMap { $0.subject?.fingerprint }
        tag = "W/" + Self.tag(instances.map(\.blobID.value) + [form] + subjects)
        count = nil
        self.life = subjects.isEmpty ? life : .changing
    }

    /// FNV-1a of 64 bits: it must tell apart, and need not resist anybody.
    private static func tag(_ parts: [String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0x0A) &* 0x100_0000_01B3
        }
        return "\"\(String(hash, radix: 16))\""
    }

    /// The fields of an answer with it, and of one that says that it has not changed. RFC 9110 §15.4.5.
    var headers: HTTPFields {
        var fields: HTTPFields = [.eTag: tag, .vary: "Accept, Authorization"]
        // Of one caller, and for no cache that others share.
        switch life {
        case .immutable: fields[.cacheControl] = "private, max-age=\(Self.freshSeconds), immutable"
        case .changing: fields[.cacheControl] = "private, no-cache"
        }
        if count != nil { fields[.acceptRanges] = "bytes" }
        return fields
    }

    /// What a request is to be answered with.
    enum Wanted: Sendable, Hashable {
        case whole
        case part(ByteRange)
        /// 304: the client has it.
        case notModified
        /// 412: it is not what the client means.
        case failed
        /// 416.
        case unsatisfiable
    }

    /// In the order of RFC 9110 §13.2.2. Several ranges are answered by the whole, as §14.2 allows; so is one with an
    /// If-Range that names something else, or a date: no answer has one.
    func wanted(by request: APIRequest) -> Wanted {
        if let field = request.headers[.ifMatch], !Self.list(field, holds: tag, isStrong: true) { return .failed }
        if let field = request.headers[.ifNoneMatch], Self.list(field, holds: tag, isStrong: false) {
            return .notModified
        }
        guard let count, request.method == .get, let field = request.headers[.range] else { return .whole }
        if let condition = request.headers[.ifRange], condition != tag { return .whole }
        return switch ByteRange.wanted(field, of: count) {
        case .whole: .whole
        case .part(let range): .part(range)
        case .unsatisfiable: .unsatisfiable
        }
    }

    /// Whether a request asks for anything but the whole.
    static func isConditional(_ request: APIRequest) -> Bool {
        let fields = request.headers
        return fields.contains(.range) || fields.contains(.ifNoneMatch) || fields.contains(.ifMatch)
    }

    /// The answer without the bytes; nil where bytes are wanted.
    func refusal(_ wanted: Wanted, requestID: String) -> Response? {
        func report(_ status: HTTPResponse.Status, _ text: String, _ fields: HTTPFields = [:]) -> Response {
            .bytes(
                Array("\(text)\nrequest: \(requestID)\n".utf8), contentType: "text/plain; charset=utf-8",
                status: status, headers: fields)
        }
        switch wanted {
        case .whole, .part: return nil
        case .notModified: return .empty(.notModified, headers: headers)
        case .failed: return report(.preconditionFailed, "this is not what If-Match names")
        case .unsatisfiable:
            return report(
                .rangeNotSatisfiable, "there are no such bytes",
                [.contentRange: ByteRange.contentRange(unsatisfiable: count ?? 0)])
        }
    }

    /// The bytes to be sent, and the status and fields that say so.
    struct Portion: Sendable {
        let range: Range<Int64>
        let status: HTTPResponse.Status
        let headers: HTTPFields
    }

    /// Of what ``wanted(by:)`` says; the whole of what has no length is empty.
    func portion(_ wanted: Wanted) -> Portion {
        guard case .part(let range) = wanted, let count else {
            return Portion(range: 0..<(count ?? 0), status: .ok, headers: headers)
        }
        var fields = headers
        fields[.contentRange] = range.contentRange(of: count)
        return Portion(
            range: range.offset..<range.offset + range.count, status: .partialContent, headers: fields)
    }

    /// Whether a field of tags, or `*`, names a tag. A weak comparison passes over `W/`. RFC 9110 §8.8.3.2, §13.1.
    static func list(_ field: String, holds tag: String, isStrong: Bool) -> Bool {
        let field = field.trimmingSpaces
        if field == "*" { return true }
        if isStrong, tag.hasPrefix("W/") { return false }
        let opaque = tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
        // No tag that is made here holds a comma.
        return field.split(separator: ",").contains { element in
            let element = String(element).trimmingSpaces
            return element == opaque || !isStrong && element == "W/" + opaque
        }
    }
}

extension DICOMwebRoutes {
    /// The answer to a request that no bytes are sent for, with its audit row; nil where bytes are wanted.
    func refusal(
        of part: SinglePart?, _ wanted: SinglePart.Wanted, _ interaction: String, _ request: APIRequest
    ) async throws -> Response? {
        guard let refusal = part?.refusal(wanted, requestID: request.requestID) else { return nil }
        try await record(interaction, request)
        return refusal
    }
}

extension String {
    /// Without the blanks and tabs around it.
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
