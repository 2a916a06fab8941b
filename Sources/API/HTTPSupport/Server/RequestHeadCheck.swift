import HTTPTypes
import NIOHTTP1

/// Holds the head of a request to RFC 9112 before anything is made of it: who is asked, where the body ends, which
/// version is spoken. What is refused here never reaches a route.
enum RequestHeadCheck {
    /// A declared length beyond this is no upload but a mistake or an attack, in bytes: 1 PiB.
    static let contentLengthMax: Int64 = 1 << 50

    /// How the body of a request is delimited.
    enum Body: Equatable {
        case none
        /// So many bytes, at least 1.
        case length(Int64)
        case chunked
    }

    /// What a head that is in order says.
    struct Facts: Equatable {
        let body: Body
        /// Path and query of the target.
        let target: String
        /// The client waits for 100 before it sends the body.
        let expectsContinue: Bool
        /// The connection ends with the answer: the client says so, speaks HTTP/1.0, or wants another protocol.
        let isLast: Bool
    }

    /// What the head says. Throws ``HTTPFailure`` that closes the connection: after such a head nobody knows where the
    /// next request begins.
    static func facts(_ head: HTTPRequestHead) throws(HTTPFailure) -> Facts {
        guard head.version.major == 1 else { throw failure(.versionNotSupported, "HTTP/1.1 is spoken here") }
        let fields = try Fields(head.headers)
        let isOld = head.version.minor == 0
        guard fields.hosts.count == 1 || (fields.hosts.isEmpty && isOld) else {
            throw failure(.malformed, "A request names its host exactly once")
        }
        guard fields.hosts.allSatisfy(isHost) else { throw failure(.malformed, "Host is no host") }
        let target = try target(head)
        let body = try body(fields, isOld: isOld)
        let connection = words(fields.connections)
        let expects = try expectsContinue(fields.expectations)
        return Facts(
            body: body, target: target, expectsContinue: expects && !isOld && body != .none,
            isLast: isOld || connection.contains("close") || connection.contains("upgrade"))
    }

    /// The fields that say how a message is to be read, found in one pass over all of them.
    private struct Fields {
        var hosts: [String] = []
        var lengths: [String] = []
        var codings: [String] = []
        var connections: [String] = []
        var expectations: [String] = []

        /// Names are tokens, values hold no control character but the tabulator. RFC 9110 §5.5.
        init(_ headers: HTTPHeaders) throws(HTTPFailure) {
            for (name, value) in headers {
                guard HeaderReader.isToken(name) else { throw failure(.malformed, "A header field's name is no token") }
                guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                    throw failure(.malformed, "A header field holds a control character")
                }
                // Most names have another length than these.
                switch name.utf8.count {
                case 4 where name.lowercased() == "host": hosts.append(value)
                case 6 where name.lowercased() == "expect": expectations.append(value)
                case 10 where name.lowercased() == "connection": connections.append(value)
                case 14 where name.lowercased() == "content-length": lengths.append(value)
                case 17 where name.lowercased() == "transfer-encoding": codings.append(value)
                default: continue
                }
            }
        }
    }

    /// The elements of a field's lines in lower case, without the empty ones. RFC 9110 §5.6.1.
    private static func words(_ lines: [String]) -> [String] {
        lines.flatMap { $0.lowercased().split(separator: ",") }.map { element in
            String(element.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }.filter { !$0.isEmpty }
    }

    static func failure(_ code: HTTPFailure.Code, _ message: String) -> HTTPFailure {
        HTTPFailure(code, message, closesConnection: true)
    }

    /// The path and query. RFC 9112 §3.2.
    private static func target(_ head: HTTPRequestHead) throws(HTTPFailure) -> String {
        guard head.method != .CONNECT else { throw failure(.notImplemented, "This server is no proxy") }
        // Bytes that are not UTF-8 were replaced when the target was read.
        guard !head.uri.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "#") }),
            !head.uri.unicodeScalars.contains("\u{FFFD}")
        else { throw failure(.malformed, "The request target is not a URI reference") }
        if head.uri.utf8.first == UInt8(ascii: "/") { return head.uri }
        if head.uri == "*", head.method == .OPTIONS { return head.uri }
        return try path(ofAbsolute: head.uri)
    }

    /// The path and query of an absolute-form target, which counts before the Host field. RFC 9112 §3.2.2.
    private static func path(ofAbsolute target: String) throws(HTTPFailure) -> String {
        let lower = target.prefix(8).lowercased()
        guard let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) }) else {
            throw failure(.malformed, "The request target begins with a slash or is an http URL")
        }
        let rest = target.dropFirst(scheme.utf8.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard end != rest.startIndex, isHost(String(rest[..<end])) else {
            throw failure(.malformed, "The request target names no host")
        }
        let path = rest[end...]
        return path.first == "/" ? String(path) : "/" + path
    }

    /// `uri-host [":" port]` without user information. RFC 9110 §7.2; RFC 3986 §3.2.2.
    static func isHost(_ text: String) -> Bool {
        text.utf8.count <= 300
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"):
                    true
                default: false
                }
            }
    }

    /// Where the body ends, told once and in one way. RFC 9112 §6.
    private static func body(_ fields: Fields, isOld: Bool) throws(HTTPFailure) -> Body {
        let lengths = fields.lengths
        guard fields.codings.isEmpty else {
            // Two ways of saying where the body ends are the door of request smuggling. RFC 9112 §6.3.
            guard lengths.isEmpty else { throw failure(.malformed, "The length of the body is given twice") }
            guard !isOld else { throw failure(.malformed, "HTTP/1.0 has no Transfer-Encoding") }
            let codings = words(fields.codings)
            guard codings.allSatisfy({ $0 == "chunked" }) else {
                throw failure(.notImplemented, "chunked is the only transfer coding that is read")
            }
            guard codings.count == 1 else { throw failure(.malformed, "A body is chunked once") }
            return .chunked
        }
        guard let text = lengths.first else { return .none }
        guard lengths.count == 1, !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw failure(.malformed, "Content-Length is one decimal number")
        }
        guard let length = Int64(text), length <= contentLengthMax else {
            throw failure(.tooLarge, "The body is larger than \(contentLengthMax) bytes")
        }
        return length == 0 ? .none : .length(length)
    }

    /// RFC 9110 §10.1.1: the one expectation there is; any other is refused.
    private static func expectsContinue(_ lines: [String]) throws(HTTPFailure) -> Bool {
        let expectations = words(lines)
        guard expectations.allSatisfy({ $0 == "100-continue" }) else {
            throw failure(.expectationFailed, "100-continue is the only expectation that is met")
        }
        return !expectations.isEmpty
    }

    /// What a decoder's error is to the client. RFC 9112; RFC 9110 §15.
    static func failure(for error: HTTPParserError) -> HTTPFailure {
        switch error {
        case .headerOverflow:
            failure(.headersTooLarge, "The header fields are larger than this server reads")
        case .invalidVersion: failure(.versionNotSupported, "HTTP/1.1 is spoken here")
        case .invalidContentLength, .unexpectedContentLength:
            failure(.malformed, "The length of the body is not well formed or given twice")
        case .invalidChunkSize: failure(.malformed, "A chunk's size is not well formed")
        case .invalidEOFState, .closedConnection: failure(.malformed, "The request ends before its end")
        default: failure(.malformed, "The request is not well-formed HTTP/1.1")
        }
    }
}
