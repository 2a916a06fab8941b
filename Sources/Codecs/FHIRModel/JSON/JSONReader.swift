/// Reads one strict JSON text into a tape, without recursion and without copying a value.
///
/// Strict means RFC 8259 plus: no byte order mark, no duplicate member name (compared after unescaping), no NUL, no
/// lone surrogate, valid UTF-8 throughout, and every bound of `JSONLimits`. FHIR R4 json.html.
struct JSONReader {
    /// An open object or array.
    private struct Frame {
        /// Index of the container's node.
        var node: Int
        var isObject: Bool
        /// Elements or members so far.
        var count = 0
        /// Index of the latest member name.
        var key = 0
        /// One bit for each fingerprint of a name seen; a bit seen twice asks for an exact comparison at the end.
        var fingerprints: UInt64 = 0
        var mayRepeat = false
    }

    private let limits: JSONLimits
    private var nodes: [JSONTapeNode] = []
    private var open: [Frame] = []
    private var top = Frame(node: -1, isObject: false)
    /// Index of the first string longer than the limit; whether it is a Binary's data is known only at the end.
    private var longString: Int?

    private init(limits: JSONLimits) {
        var limits = limits
        // A node counts its elements in 24 bits.
        limits.tokensMax = min(limits.tokensMax, (1 << 24) - 1)
        self.limits = limits
    }

    /// The tape of `bytes`.
    static func tape(of bytes: [UInt8], limits: JSONLimits) throws(JSONError) -> [JSONTapeNode] {
        var reader = JSONReader(limits: limits)
        let text = bytes.span.bytes
        do throws(JSONScanFailure) {
            try reader.read(text)
        } catch {
            throw JSONError(reason: error.reason, offset: error.offset, pointer: reader.pointer(text))
        }
        if let long = reader.longString, !reader.isBinaryData(long, text) {
            throw JSONError(reason: .stringTooLong, offset: Int(reader.nodes[long].start), pointer: "")
        }
        return reader.nodes
    }

    private mutating func read(_ text: borrowing RawSpan) throws(JSONScanFailure) {
        guard text.byteCount <= min(limits.bytesMax, Int(UInt32.max) - 1) else {
            throw JSONScanFailure(reason: .textTooLong, offset: limits.bytesMax)
        }
        var at = JSONScanner.skippingWhitespace(text, 0)
        guard at < text.byteCount else { throw JSONScanFailure(reason: .empty, offset: 0) }
        if JSONScanner.byte(text, 0) == 0xEF, JSONScanner.byte(text, 1) == 0xBB {
            throw JSONScanFailure(reason: .byteOrderMark, offset: 0)
        }
        nodes.reserveCapacity(min(text.byteCount / 10 + 16, limits.tokensMax))
        repeat { at = try value(text, at) } while top.node >= 0
        at = JSONScanner.skippingWhitespace(text, at)
        guard at == text.byteCount else { throw JSONScanFailure(reason: .trailingText, offset: at) }
    }

    /// Reads the value at `position` and whatever closes after it.
    ///
    /// - Returns: the position of the next value to read, or the position after the text's one value.
    @inline(__always)
    private mutating func value(_ text: borrowing RawSpan, _ position: Int) throws(JSONScanFailure) -> Int {
        var at = position
        guard nodes.count < limits.tokensMax else { throw JSONScanFailure(reason: .tooManyTokens, offset: at) }
        guard at < text.byteCount else { throw JSONScanFailure(reason: .unexpectedEnd, offset: at) }
        let first = text.unsafeLoad(fromByteOffset: at, as: UInt8.self)
        switch first {
        case 0x22:
            let (end, hasEscapes) = try JSONScanner.string(text, from: at + 1)
            if end - at - 1 > limits.stringBytesMax { try noteLongString(at) }
            append(.string, at, end + 1, hasEscapes)
            at = end + 1
        case 0x7B, 0x5B:
            at = try opened(text, at, isObject: first == 0x7B)
            let b = JSONScanner.byte(text, at)
            // An empty container closes below like any other; otherwise its first value is next.
            if b != (first == 0x7B ? 0x7D : 0x5D) || at >= text.byteCount {
                return top.isObject ? try name(text, at) : at
            }
        case 0x2D, 0x30...0x39:
            let end = try JSONScanner.number(text, from: at)
            guard end - at <= limits.numberBytesMax else {
                throw JSONScanFailure(reason: .numberTooLong, offset: at)
            }
            append(.number, at, end, false)
            at = end
        case 0x74, 0x66, 0x6E:
            let word: StaticString = first == 0x74 ? "true" : first == 0x66 ? "false" : "null"
            guard JSONScanner.matches(text, at, word) else {
                throw JSONScanFailure(reason: .invalidLiteral, offset: at)
            }
            append(first == 0x6E ? .null : .bool, at, at + word.utf8CodeUnitCount, false)
            at += word.utf8CodeUnitCount
        default:
            throw JSONScanFailure(reason: .unexpectedByte, offset: at)
        }
        return try afterValue(text, at)
    }

    /// Handles commas and closing brackets after a value.
    @inline(__always)
    private mutating func afterValue(_ text: borrowing RawSpan, _ position: Int) throws(JSONScanFailure) -> Int {
        var at = position
        while top.node >= 0 {
            at = JSONScanner.skippingWhitespace(text, at)
            guard at < text.byteCount else { throw JSONScanFailure(reason: .unexpectedEnd, offset: at) }
            let b = text.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            if b == 0x2C {
                at = JSONScanner.skippingWhitespace(text, at + 1)
                if top.isObject {
                    nodes[top.key].next = UInt32(truncatingIfNeeded: nodes.count)
                    return try name(text, at)
                }
                top.count += 1
                return at
            }
            guard b == (top.isObject ? 0x7D : 0x5D) else {
                throw JSONScanFailure(reason: .unexpectedByte, offset: at)
            }
            at += 1
            try close(text, end: at)
        }
        return at
    }

    private mutating func opened(
        _ text: borrowing RawSpan, _ position: Int, isObject: Bool
    ) throws(JSONScanFailure) -> Int {
        let depth = open.count + (top.node >= 0 ? 1 : 0)
        guard depth < limits.depthMax else { throw JSONScanFailure(reason: .tooDeep, offset: position) }
        if top.node >= 0 { open.append(top) }
        top = Frame(node: nodes.count, isObject: isObject)
        append(isObject ? .object : .array, position, position, false)
        return JSONScanner.skippingWhitespace(text, position + 1)
    }

    /// Reads a member name and its colon, and returns the position of the member's value.
    @inline(__always)
    private mutating func name(_ text: borrowing RawSpan, _ position: Int) throws(JSONScanFailure) -> Int {
        guard position < text.byteCount else { throw JSONScanFailure(reason: .unexpectedEnd, offset: position) }
        guard JSONScanner.byte(text, position) == 0x22 else {
            throw JSONScanFailure(reason: .unexpectedByte, offset: position)
        }
        guard nodes.count < limits.tokensMax else {
            throw JSONScanFailure(reason: .tooManyTokens, offset: position)
        }
        let (end, hasEscapes) = try JSONScanner.string(text, from: position + 1)
        guard end - position - 1 <= limits.stringBytesMax else {
            throw JSONScanFailure(reason: .stringTooLong, offset: position)
        }
        top.key = nodes.count
        top.count += 1
        let first = UInt64(JSONScanner.byte(text, position + 1))
        let last = UInt64(JSONScanner.byte(text, end - 1))
        let bit: UInt64 = 1 << ((first &* 7 &+ last &* 29 &+ UInt64(end - position)) & 63)
        if top.fingerprints & bit != 0 || hasEscapes { top.mayRepeat = true }
        top.fingerprints |= bit
        append(.key, position, end + 1, hasEscapes)
        var at = JSONScanner.skippingWhitespace(text, end + 1)
        guard at < text.byteCount else { throw JSONScanFailure(reason: .unexpectedEnd, offset: at) }
        guard JSONScanner.byte(text, at) == 0x3A else {
            throw JSONScanFailure(reason: .unexpectedByte, offset: at)
        }
        at = JSONScanner.skippingWhitespace(text, at + 1)
        return at
    }

    private mutating func close(_ text: borrowing RawSpan, end: Int) throws(JSONScanFailure) {
        let next = nodes.count
        if top.isObject {
            if top.count > 0 { nodes[top.key].next = UInt32(truncatingIfNeeded: next) }
            if top.mayRepeat { try checkNames(text) }
        } else if next > top.node + 1 {
            top.count += 1
        }
        nodes[top.node].length = UInt32(truncatingIfNeeded: end) - nodes[top.node].start
        nodes[top.node].next = UInt32(truncatingIfNeeded: next)
        nodes[top.node].count = top.count
        top = open.popLast() ?? Frame(node: -1, isObject: false)
    }

    @inline(__always)
    private mutating func append(_ kind: JSONTapeNode.Kind, _ start: Int, _ end: Int, _ hasEscapes: Bool) {
        nodes.append(
            JSONTapeNode(
                kind: kind, start: start, length: end - start, next: nodes.count + 1, hasEscapes: hasEscapes))
    }

    // MARK: Names

    /// Compares the names of the object that is closing, exactly and unescaped.
    ///
    /// Pairwise while that is cheaper; sorted by bytes beyond, so that no choice of names makes it quadratic.
    private mutating func checkNames(_ text: borrowing RawSpan) throws(JSONScanFailure) {
        var keys: [Int] = []
        var anyEscapes = false
        var at = top.node + 1
        for _ in 0..<top.count {
            keys.append(at)
            anyEscapes = anyEscapes || nodes[at].hasEscapes
            at = Int(nodes[at].next)
        }
        if !anyEscapes, keys.count <= 24 {
            for i in 1..<max(keys.count, 1) {
                for j in 0..<i where isSame(text, nodes[keys[i]], nodes[keys[j]]) {
                    top.key = keys[i]
                    throw JSONScanFailure(reason: .duplicateKey, offset: Int(nodes[keys[i]].start))
                }
            }
            return
        }
        var names = keys.map { (JSONString.decoded(text, nodes[$0]), $0) }
        names.sort { $0.0.lexicographicallyPrecedes($1.0) }
        for i in 1..<max(names.count, 1) where names[i].0 == names[i - 1].0 {
            top.key = max(names[i].1, names[i - 1].1)
            throw JSONScanFailure(reason: .duplicateKey, offset: Int(nodes[top.key].start))
        }
    }

    private func isSame(_ text: borrowing RawSpan, _ a: JSONTapeNode, _ b: JSONTapeNode) -> Bool {
        guard a.length == b.length else { return false }
        for i in 0..<Int(a.length)
        where JSONScanner.byte(text, Int(a.start) + i) != JSONScanner.byte(text, Int(b.start) + i) { return false }
        return true
    }

    // MARK: Places

    private mutating func noteLongString(_ position: Int) throws(JSONScanFailure) {
        guard limits.exemptsBinaryData, longString == nil, open.isEmpty, top.isObject else {
            throw JSONScanFailure(reason: .stringTooLong, offset: position)
        }
        longString = nodes.count
    }

    /// Whether the node is the root's `data` and the root says that it is a Binary.
    private func isBinaryData(_ node: Int, _ text: borrowing RawSpan) -> Bool {
        guard node > 1, nodes[node - 1].kind == .key,
            JSONScanner.matches(text, Int(nodes[node - 1].start), "\"data\"")
        else { return false }
        var at = 1
        for _ in 0..<nodes[0].count {
            if JSONScanner.matches(text, Int(nodes[at].start), "\"resourceType\"") {
                return JSONScanner.matches(text, Int(nodes[at + 1].start), "\"Binary\"")
            }
            at = Int(nodes[at].next)
        }
        return false
    }

    /// The place of the failure as a JSON pointer, from the containers that are still open.
    private func pointer(_ text: borrowing RawSpan) -> String {
        var path = ""
        for frame in open + [top] where frame.node >= 0 {
            if !frame.isObject {
                path += "/\(frame.count)"
            } else if frame.count > 0 {
                var name = JSONString.decoded(text, nodes[frame.key])
                if name.count > 64 { name = Array(name.prefix(64)) }
                path += "/" + JSONPointer.escaped(String(decoding: name, as: UTF8.self))
            }
        }
        return path
    }
}
