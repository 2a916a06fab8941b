#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The C library's character set conversion.
enum Iconv {
    /// Converts all bytes. Throws `.undecodableText` with the offset of the first input byte that has no conversion,
    /// `.characterSetUnsupported` when the C library does not have one of the sets.
    static func convert(_ bytes: [UInt8], from source: String, to target: String) throws(HL7Error) -> [UInt8] {
        guard let converter = iconv_open(target, source), Int(bitPattern: converter) != -1 else {
            throw .characterSetUnsupported
        }
        defer { iconv_close(converter) }
        var input = bytes
        var consumed = 0
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 2 + 16)
        var window = [UInt8](repeating: 0, count: 4096)
        var isFlushing = false
        while true {
            let step = pass(converter, &input, consumed, &window, isFlushing)
            output.append(contentsOf: window[0..<step.produced])
            consumed += step.consumed
            switch step.outcome {
            case .complete where isFlushing: return output
            case .complete: isFlushing = true
            case .outputFull: continue
            case .illegal: throw .undecodableText(offset: consumed)
            }
        }
    }

    private enum Outcome { case complete, outputFull, illegal }

    private static func pass(
        _ converter: iconv_t, _ input: inout [UInt8], _ from: Int, _ window: inout [UInt8], _ isFlushing: Bool
    ) -> (consumed: Int, produced: Int, outcome: Outcome) {
        let available = input.count - from
        let room = window.count
        return input.withUnsafeMutableBytes { source in
            window.withUnsafeMutableBytes { target in
                var sourceAt: UnsafeMutablePointer<CChar>? = source.baseAddress.map {
                    ($0 + from).assumingMemoryBound(to: CChar.self)
                }
                var sourceLeft = available
                var targetAt = target.baseAddress?.assumingMemoryBound(to: CChar.self)
                var targetLeft = room
                let result =
                    isFlushing
                    ? iconv(converter, nil, nil, &targetAt, &targetLeft)
                    : iconv(converter, &sourceAt, &sourceLeft, &targetAt, &targetLeft)
                let failure = errno
                let outcome: Outcome = result != -1 ? .complete : (failure == E2BIG ? .outputFull : .illegal)
                return (available - sourceLeft, room - targetLeft, outcome)
            }
        }
    }
}

/// Text of the Japanese sets: ASCII, half-width katakana as single high bytes (JIS X 0201), and JIS X 0208 and
/// 0212 between ISO 2022 escape sequences. HL7 v2.5.1 §2.15.9.18, RFC 1554.
enum JapaneseText {
    /// The bytes in UTF-8. Throws `.undecodableText`.
    static func decoded(_ bytes: [UInt8]) throws(HL7Error) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 2)
        var run: [UInt8] = []
        var runStart = 0
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte >= 0xA1, byte <= 0xDF {
                output.append(contentsOf: try flush(&run, from: runStart))
                let scalar = 0xFF61 + UInt32(byte - 0xA1)
                output.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
                output.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
                output.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
            } else {
                guard byte < 0x80 else { throw .undecodableText(offset: at) }
                if run.isEmpty { runStart = at }
                run.append(byte)
            }
            at += 1
        }
        output.append(contentsOf: try flush(&run, from: runStart))
        return output
    }

    private static func flush(_ run: inout [UInt8], from start: Int) throws(HL7Error) -> [UInt8] {
        defer { run.removeAll(keepingCapacity: true) }
        guard run.contains(0x1B) else { return run }
        do {
            return try Iconv.convert(run, from: "ISO-2022-JP-2", to: "UTF-8")
        } catch {
            throw .undecodableText(offset: start + (error.offset ?? 0))
        }
    }
}
