import CZlib
import NIOCore

/// The bytes between the files of a ZIP archive that is written from its first byte to its last: nothing is known of a
/// file before it has been written, so a data descriptor behind it tells its checksum and length, and the directory at
/// the end once more. Files are stored as they are. APPNOTE.TXT 6.3 §4.3.
///
/// The caller writes `fileHead`, the content, which it also gives to `add`, and `fileEnd` for each file, then `end`. An
/// archive without its end is one that no reader takes for whole.
package struct ZipFraming: Sendable {
    /// Why no archive can be made.
    package enum Failure: Error, Sendable, Hashable {
        /// A name is empty, or longer than 65,535 bytes.
        case name
        /// A file became larger than was said of it.
        case tooLarge
        /// More than ``filesMax``.
        case tooMany
    }

    /// Files of one archive: what the directory holds of each, some 250 bytes, stays in memory until the end.
    package static let filesMax = 1_000_000
    /// The largest length and offset of the form without ZIP64, all bits set being its mark.
    static let plainMax: Int64 = 0xFFFF_FFFE

    private struct File {
        var name: [UInt8]
        var offset: Int64
        /// Lengths of 8 bytes in its descriptor. §4.3.9.2
        var isLarge: Bool
        var checksum: UInt = 0
        var count: Int64 = 0
    }

    private var current: File?
    private var directory = ByteBuffer()
    private var files = 0
    /// Bytes written so far.
    private var position: Int64

    /// - Parameter position: bytes that stand before the archive in what it is written to.
    package init(behind position: Int64 = 0) { self.position = position }

    /// Bytes in memory for the directory.
    package var directoryBytes: Int { directory.readableBytes }

    /// What stands before a file's content.
    ///
    /// - Parameters:
    ///   - name: with `/` between folders, and nothing that leads out of one: the caller's to know.
    ///   - count: bytes at most; nil where that is not known.
    package mutating func fileHead(name: String, count: Int64?) throws(Failure) -> ByteBuffer {
        let name = Array(name.utf8)
        guard (1...Int(UInt16.max)).contains(name.count) else { throw .name }
        guard files < Self.filesMax else { throw .tooMany }
        let isLarge = count.map { $0 > Self.plainMax } ?? true
        current = File(name: name, offset: position, isLarge: isLarge)
        var head = ByteBuffer()
        head.writeInteger(0x0403_4B50, endianness: .little, as: UInt32.self)
        Self.writeCommon(isLarge: isLarge, to: &head)
        // Checksum and lengths are told behind the content; of a large file the extra field says so. §4.5.3
        head.writeInteger(0, as: UInt32.self)
        for _ in 0..<2 { head.writeInteger(isLarge ? .max : 0, endianness: .little, as: UInt32.self) }
        head.writeInteger(UInt16(name.count), endianness: .little)
        head.writeInteger(isLarge ? 20 : 0, endianness: .little, as: UInt16.self)
        head.writeBytes(name)
        if isLarge { Self.writeExtra([0, 0], to: &head) }
        position += Int64(head.readableBytes)
        return head
    }

    /// Counts a piece of the content of the file that was begun. Throws `.tooLarge` past what was said of it.
    package mutating func add(_ piece: ByteBuffer) throws(Failure) {
        guard var file = current else { return }
        file.checksum = piece.withUnsafeReadableBytes { bytes in
            crc32_z(file.checksum, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
        }
        file.count += Int64(piece.readableBytes)
        position += Int64(piece.readableBytes)
        current = file
        if !file.isLarge, file.count > Self.plainMax { throw .tooLarge }
    }

    /// What stands behind a file's content: its data descriptor. §4.3.9
    package mutating func fileEnd() -> ByteBuffer {
        var descriptor = ByteBuffer()
        guard let file = current else { return descriptor }
        current = nil
        descriptor.writeInteger(0x0807_4B50, endianness: .little, as: UInt32.self)
        descriptor.writeInteger(UInt32(truncatingIfNeeded: file.checksum), endianness: .little)
        for _ in 0..<2 {
            if file.isLarge {
                descriptor.writeInteger(file.count, endianness: .little)
            } else {
                descriptor.writeInteger(UInt32(truncatingIfNeeded: file.count), endianness: .little)
            }
        }
        position += Int64(descriptor.readableBytes)
        list(file)
        return descriptor
    }

    /// The directory and what ends the archive. §4.3.12 to §4.3.16
    package var end: ByteBuffer {
        var end = directory
        let count = Int64(directory.readableBytes)
        if files > 0xFFFE || count > Self.plainMax || position > Self.plainMax {
            end.writeInteger(0x0606_4B50, endianness: .little, as: UInt32.self)
            end.writeInteger(44, endianness: .little, as: UInt64.self)
            for _ in 0..<2 { end.writeInteger(45, endianness: .little, as: UInt16.self) }
            for _ in 0..<2 { end.writeInteger(0, as: UInt32.self) }
            for _ in 0..<2 { end.writeInteger(Int64(files), endianness: .little) }
            end.writeInteger(count, endianness: .little)
            end.writeInteger(position, endianness: .little)
            end.writeInteger(0x0706_4B50, endianness: .little, as: UInt32.self)
            end.writeInteger(0, as: UInt32.self)
            end.writeInteger(position + count, endianness: .little)
            end.writeInteger(1, endianness: .little, as: UInt32.self)
        }
        end.writeInteger(0x0605_4B50, endianness: .little, as: UInt32.self)
        end.writeInteger(0, as: UInt32.self)
        let few = UInt16(truncatingIfNeeded: min(files, Int(UInt16.max)))
        for _ in 0..<2 { end.writeInteger(few, endianness: .little) }
        end.writeInteger(Self.plain(count), endianness: .little)
        end.writeInteger(Self.plain(position), endianness: .little)
        end.writeInteger(0, as: UInt16.self)
        return end
    }

    /// A file's line in the directory. §4.3.12
    private mutating func list(_ file: File) {
        files += 1
        let isLarge = file.isLarge || file.offset > Self.plainMax
        directory.writeInteger(0x0201_4B50, endianness: .little, as: UInt32.self)
        directory.writeInteger(isLarge ? 45 : 20, endianness: .little, as: UInt16.self)
        Self.writeCommon(isLarge: isLarge, to: &directory)
        directory.writeInteger(UInt32(truncatingIfNeeded: file.checksum), endianness: .little)
        for _ in 0..<2 {
            directory.writeInteger(isLarge ? .max : Self.plain(file.count), endianness: .little, as: UInt32.self)
        }
        directory.writeInteger(UInt16(file.name.count), endianness: .little)
        directory.writeInteger(isLarge ? 28 : 0, endianness: .little, as: UInt16.self)
        // No comment, first disk, no attributes.
        for _ in 0..<3 { directory.writeInteger(0, as: UInt16.self) }
        directory.writeInteger(0, as: UInt32.self)
        directory.writeInteger(isLarge ? .max : Self.plain(file.offset), endianness: .little, as: UInt32.self)
        directory.writeBytes(file.name)
        if isLarge { Self.writeExtra([file.count, file.count, file.offset], to: &directory) }
    }

    /// Version needed, flags, method and time. The time is none, that of the format's beginning: it would tell something
    /// of the files.
    private static func writeCommon(isLarge: Bool, to buffer: inout ByteBuffer) {
        buffer.writeInteger(isLarge ? 45 : 20, endianness: .little, as: UInt16.self)
        // A data descriptor follows.
        buffer.writeInteger(1 << 3, endianness: .little, as: UInt16.self)
        buffer.writeInteger(0, as: UInt16.self)
        buffer.writeInteger(0, as: UInt16.self)
        buffer.writeInteger(0x0021, endianness: .little, as: UInt16.self)
    }

    /// The extra field of ZIP64. §4.5.3
    private static func writeExtra(_ values: [Int64], to buffer: inout ByteBuffer) {
        buffer.writeInteger(1, endianness: .little, as: UInt16.self)
        buffer.writeInteger(UInt16(values.count * 8), endianness: .little)
        for value in values { buffer.writeInteger(value, endianness: .little) }
    }

    private static func plain(_ value: Int64) -> UInt32 { value > plainMax ? .max : UInt32(truncatingIfNeeded: value) }
}
