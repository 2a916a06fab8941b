import Basics
import Cryptography
import HTTPTypes

/// The request that opens a WebSocket, and what is answered. RFC 6455 §4.
///
/// A page cannot set Authorization for a WebSocket, and a token in a URL would be in logs: it offers it as a subprotocol,
/// `bearer.` and the token, beside the one that is spoken.
package enum WebSocketHandshake {
    /// The subprotocol that is spoken, where any is offered.
    package static let subprotocol = "dicomweb.events"
    private static let tokenPrefix = "bearer."
    /// Subprotocols that are looked at.
    private static let offersMax = 8
    private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// What is wrong with a request.
    package enum Problem: Error, Sendable, Hashable {
        /// It asks for no WebSocket of version 13: 426.
        case noUpgrade
        case malformed(String)
    }

    /// The fields of the answer. Throws ``Problem``.
    package static func answer(to headers: HTTPFields) throws(Problem) -> HTTPFields {
        guard words(headers, .connection).contains("upgrade"), words(headers, .upgrade).contains("websocket"),
            headers[values: .secWebSocketVersion] == ["13"]
        else { throw .noUpgrade }
        guard !headers.contains(.contentLength) || headers[.contentLength] == "0", !headers.contains(.transferEncoding)
        else { throw .malformed("the request for a WebSocket has no body") }
        let keys = headers[values: .secWebSocketKey]
        guard keys.count == 1, keys[0].utf8.count == 24, Base64.decode(keys[0].utf8)?.count == 16 else {
            throw .malformed("Sec-WebSocket-Key is 16 bytes in Base64, once")
        }
        let digest = SHA1.digest(of: Array((keys[0] + guid).utf8))
        var answer: HTTPFields = [
            .connection: "Upgrade", .upgrade: "websocket", .secWebSocketAccept: Base64.encode(digest),
        ]
        let offers = offers(headers)
        guard offers.isEmpty || offers.contains(subprotocol) else {
            throw .malformed("\(subprotocol) is the only subprotocol that is spoken")
        }
        if !offers.isEmpty { answer[.secWebSocketProtocol] = subprotocol }
        return answer
    }

    /// The answer to a request that asks for no WebSocket of version 13: what would have one. RFC 9110 §15.5.22.
    package static let upgradeFields: HTTPFields = [
        .connection: "Upgrade", .upgrade: "websocket", .secWebSocketVersion: "13",
    ]

    /// The Authorization field that an offered token stands for; nothing where that field is there itself or none or
    /// several tokens are offered.
    static func authorization(of headers: HTTPFields) -> [String] {
        let given = headers[values: .authorization]
        let tokens = offers(headers).filter { $0.hasPrefix(tokenPrefix) }
        guard given.isEmpty, tokens.count == 1 else { return given }
        return ["Bearer " + tokens[0].dropFirst(tokenPrefix.utf8.count)]
    }

    /// Whether it may come from a page: those cannot set Authorization.
    package static func mayBeOfPage(_ headers: HTTPFields) -> Bool { !headers.contains(.authorization) }

    private static func offers(_ headers: HTTPFields) -> [String] {
        let all = headers[values: .secWebSocketProtocol].flatMap { $0.split(separator: ",") }
        return all.prefix(offersMax).map { String($0.trimming { $0 == " " || $0 == "\t" }) }.filter { !$0.isEmpty }
    }

    private static func words(_ headers: HTTPFields, _ name: HTTPField.Name) -> [String] {
        headers[values: name].flatMap { $0.lowercased().split(separator: ",") }.map { word in
            String(word.trimming { $0 == " " || $0 == "\t" })
        }
    }
}

extension Substring {
    /// Without such characters at both ends.
    fileprivate func trimming(_ isLeftOut: (Character) -> Bool) -> Substring {
        var rest = self
        while let first = rest.first, isLeftOut(first) { rest.removeFirst() }
        while let last = rest.last, isLeftOut(last) { rest.removeLast() }
        return rest
    }
}
