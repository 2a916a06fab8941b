import DICOMData
import DICOMPixels

/// One bit a pixel that is drawn over the image: graphics, or a region of interest. PS3.3 §C.9.2.
struct OverlayPlane: Sendable {
    private enum Source: Sendable {
        case data([UInt8])
        /// A bit of the image's own cells that no sample uses. Retired, and met with. PS3.5 §8.1.2.
        case cells(bit: Int, cellBytes: Int)
    }

    /// 6000H to 601EH.
    let group: UInt16
    private let rows: Int
    private let columns: Int
    /// Of its first pixel in the image, from 0; may lie outside.
    private let top: Int
    private let left: Int
    /// The image frame, from 1, of its first frame; nil when its one frame is for all.
    private let firstFrame: Int?
    private let frames: Int
    private let source: Source

    /// The planes of an image, in the order of their groups.
    static func planes(_ dataSet: DataSet, _ image: ImagePixel) -> [OverlayPlane] {
        stride(from: UInt16(0x6000), through: 0x601E, by: 2).compactMap { OverlayPlane($0, dataSet, image) }
    }

    private init?(_ group: UInt16, _ dataSet: DataSet, _ image: ImagePixel) {
        guard let rows = dataSet.int(Tag(group, 0x0010)), let columns = dataSet.int(Tag(group, 0x0011)),
            (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns)
        else { return nil }
        // Whatever the VR, so that no sum of it overflows.
        let origin = dataSet.ints(Tag(group, 0x0050)).map { max(-0x10000, min(0x10000, $0)) }
        self.group = group
        self.rows = rows
        self.columns = columns
        (top, left) = origin.count >= 2 ? (origin[0] - 1, origin[1] - 1) : (0, 0)
        let frames = dataSet.int(Tag(group, 0x0015))
        self.frames = max(1, min(frames ?? 1, 1 << 20))
        firstFrame = frames == nil ? nil : max(1, min(dataSet.int(Tag(group, 0x0051)) ?? 1, 1 << 20))
        if let data = dataSet.bytes(Tag(group, 0x3000)), !data.isEmpty {
            source = .data(data)
            return
        }
        let bit = dataSet.int(Tag(group, 0x0102)) ?? 0
        let isUnused = bit > image.highBit || bit < image.highBit + 1 - image.bitsStored
        guard [8, 16, 32].contains(image.bitsAllocated), image.samplesPerPixel == 1, isUnused,
            (0..<image.bitsAllocated).contains(bit), dataSet.int(Tag(group, 0x0100)) == image.bitsAllocated
        else { return nil }
        source = .cells(bit: bit, cellBytes: image.bitsAllocated / 8)
    }

    /// Its bits lie in the image's own cells.
    var needsCells: Bool { if case .cells = source { true } else { false } }

    /// Draws the plane of an image frame, from 1, in white or another grey.
    ///
    /// - Parameter cells: the frame as it is stored, native and in little endian.
    func draw(onto image: inout RenderedImage, frame: Int, cells: [UInt8]?, grey: UInt8 = 255) {
        mark(rows: image.rows, columns: image.columns, frame: frame, cells: cells) { row, column in
            let at = (row * image.columns + column) * image.samplesPerPixel
            for sample in 0..<image.samplesPerPixel { image.bytes[at + sample] = grey }
        }
    }

    /// The pixels of an image of this size that the plane has a 1 at.
    func mark(
        rows imageRows: Int, columns imageColumns: Int, frame: Int, cells: [UInt8]?, _ body: (Int, Int) -> Void
    ) {
        let index = firstFrame.map { frame - $0 } ?? 0
        guard (0..<frames).contains(index) else { return }
        for row in Self.seen(rows, from: top, of: imageRows) {
            for column in Self.seen(columns, from: left, of: imageColumns) {
                let isSet: Bool
                switch source {
                case .data(let data):
                    let bit = (index * rows + row) * columns + column
                    guard bit >> 3 < data.count else { return }
                    isSet = data[bit >> 3] >> UInt8(bit & 7) & 1 == 1
                case .cells(let bit, let cellBytes):
                    let at = ((row + top) * imageColumns + column + left) * cellBytes + bit >> 3
                    guard let cells, at < cells.count else { return }
                    isSet = cells[at] >> UInt8(bit & 7) & 1 == 1
                }
                if isSet { body(row + top, column + left) }
            }
        }
    }

    /// What of a plane's line lies within the image's.
    private static func seen(_ count: Int, from start: Int, of image: Int) -> Range<Int> {
        let first = max(0, -start)
        return first..<max(first, min(count, image - start))
    }
}
