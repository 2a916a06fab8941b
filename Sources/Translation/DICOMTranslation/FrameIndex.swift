import DICOMData

/// Where an instance's pixel data and its fragments lie, as the bytes kept beside its row.
///
/// *Shape*, little endian: version 1 (1 byte), group and element (2 + 2), VR (2 letters), offset and length (8 + 8), number
/// of Basic Offset Table entries (4) and the entries (4 each), number of fragments plus one, 0 for native pixels (4), and
/// for each fragment offset (8), length (4), whether a codestream starts in it (1).
package enum FrameIndex {
    package static func encode(_ location: PixelDataLocation) -> [UInt8] {
        var out: [UInt8] = [1]
        func put(_ value: UInt64, _ bytes: Int) {
            for shift in 0..<bytes { out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
        }
        put(UInt64(location.tag.group), 2)
        put(UInt64(location.tag.element), 2)
        out.append(contentsOf: Array(location.vr.description.utf8.prefix(2)))
        put(UInt64(location.offset), 8)
        put(UInt64(location.length), 8)
        put(UInt64(location.basicOffsetTable.count), 4)
        for entry in location.basicOffsetTable { put(UInt64(entry), 4) }
        put(UInt64(location.fragments.map { $0.count + 1 } ?? 0), 4)
        for fragment in location.fragments ?? [] {
            put(UInt64(fragment.offset), 8)
            put(UInt64(fragment.length), 4)
            out.append(fragment.startsCodestream ? 1 : 0)
        }
        return out
    }

    /// Nil for bytes that `encode` did not make.
    package static func decode(_ bytes: [UInt8]) -> PixelDataLocation? {
        var position = 0
        func take(_ count: Int) -> UInt64? {
            guard position + count <= bytes.count else { return nil }
            var value: UInt64 = 0
            for index in (0..<count).reversed() { value = value << 8 | UInt64(bytes[position + index]) }
            position += count
            return value
        }
        guard take(1) == 1, let group = take(2), let element = take(2), position + 2 <= bytes.count else { return nil }
        let name = String(decoding: bytes[position..<position + 2], as: UTF8.self)
        position += 2
        guard let vr = VR(name), let offset = take(8).flatMap(Int.init(exactly:)),
            let length = take(8).flatMap(Int.init(exactly:)),
            let entries = take(4), entries <= UInt64(bytes.count)
        else { return nil }
        var table: [UInt32] = []
        for _ in 0..<entries {
            guard let entry = take(4) else { return nil }
            table.append(UInt32(truncatingIfNeeded: entry))
        }
        guard let count = take(4), count <= UInt64(bytes.count) else { return nil }
        var fragments: [PixelDataLocation.Fragment]?
        if count > 0 {
            var list: [PixelDataLocation.Fragment] = []
            for _ in 0..<(count - 1) {
                guard let start = take(8).flatMap(Int.init(exactly:)), let size = take(4), let flag = take(1) else {
                    return nil
                }
                list.append(.init(offset: start, length: Int(size), startsCodestream: flag == 1))
            }
            fragments = list
        }
        return PixelDataLocation(
            tag: Tag(UInt16(group), UInt16(element)), vr: vr, offset: offset, length: length, basicOffsetTable: table,
            fragments: fragments)
    }
}
