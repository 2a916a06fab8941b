/// Where each frame of an instance lies in its source, so that a frame is read as byte ranges without the rest.
/// PS3.5 §8.1.1, §A.4, PS3.18 §8.7.3.3.2.
package struct PixelDataLayout: Sendable, Equatable {
    /// The bytes of one frame.
    package struct Frame: Sendable, Equatable {
        /// In order; the frame is in their concatenation. One range for native pixels, whole words of it where numbers
        /// are big endian; one a fragment for encapsulated.
        package let ranges: [Range<Int>]
        /// Bits before the frame's first bit, once the words are in little endian: other than 0 only where frames do
        /// not begin at a byte, or at a word that has to be swapped.
        package let bitOffset: Int
        /// Bytes of the frame by itself.
        package let sentByteCount: Int

        /// Bytes of the ranges.
        package var byteCount: Int { ranges.reduce(0) { $0 + $1.count } }

        /// A value field as it stands in the file, in the place of a frame.
        package init(ofField range: Range<Int>) { self.init(ranges: [range]) }

        /// Several fragments of one stream, in the place of a frame.
        package init(ofFragments ranges: [Range<Int>]) { self.init(ranges: ranges) }

        init(ranges: [Range<Int>], bitOffset: Int = 0, sentByteCount: Int? = nil) {
            self.ranges = ranges
            self.bitOffset = bitOffset
            self.sentByteCount = sentByteCount ?? ranges.reduce(0) { $0 + $1.count }
        }
    }

    package enum Kind: Sendable, Equatable {
        /// Frame k begins at bit `k * frameBits` of the value, which lies at `offset` and has `length` bytes.
        case native(offset: Int, length: Int, frameBits: Int)
        /// The fragments of each frame, without item headers.
        case encapsulated([[Range<Int>]])
        /// Frames that have no bytes of their own, as in video, or whose borders cannot be told.
        case whole([Range<Int>])
    }

    package let kind: Kind
    /// At least 1.
    package let frameCount: Int
    /// Numbers of native pixels are big endian in the source.
    package let isBigEndian: Bool
    /// The width of the numbers of native pixels in bytes, as the VR has it: what to swap by.
    package let wordSize: Int

    /// The layout by the image's attributes and what was found at its pixel data. nil when Rows, Columns and the others
    /// give no frame size, or one beyond 2^40 bits.
    package init?(_ location: PixelDataLocation, of dataSet: DataSet, transferSyntax: TransferSyntax) {
        frameCount = max(1, dataSet.int(.numberOfFrames) ?? 1)
        isBigEndian = transferSyntax.isBigEndian
        wordSize = location.vr.wordSize
        if let fragments = location.fragments {
            kind = Self.encapsulated(fragments, location.basicOffsetTable, dataSet, frameCount)
        } else {
            guard let bits = Self.frameBits(dataSet, location.tag) else { return nil }
            kind = .native(offset: location.offset, length: location.length, frameBits: bits)
        }
    }

    /// The bytes of a frame, counted from 0; nil when there is no such frame or the pixel data ends before it does.
    package func frame(_ index: Int) -> Frame? {
        guard index >= 0, index < frameCount else { return nil }
        switch kind {
        case .native(let offset, let length, let frameBits):
            let (start, overflow) = index.multipliedReportingOverflow(by: frameBits)
            guard !overflow, start < Int.max - frameBits - 7 else { return nil }
            let last = (start + frameBits + 7) / 8
            guard last <= length else { return nil }
            // A word is swapped as a whole, whichever frame its bytes belong to. PS3.5 §6.2 OW.
            let word = isBigEndian ? wordSize : 1
            let first = start / 8 / word * word
            let end = min((last + word - 1) / word * word, length)
            return Frame(
                ranges: [offset + first..<offset + end], bitOffset: start - first * 8,
                sentByteCount: (frameBits + 7) / 8)
        case .encapsulated(let frames):
            return index < frames.count ? Frame(ranges: frames[index]) : nil
        case .whole(let ranges):
            return frameCount == 1 ? Frame(ranges: ranges) : nil
        }
    }

    /// All pixel data: each frame of encapsulated pixels, one for all where frames cannot be told apart and for native.
    package var allFrames: [Frame] {
        switch kind {
        case .native(let offset, let length, _): [Frame(ranges: [offset..<offset + length])]
        case .encapsulated(let frames): frames.map { Frame(ranges: $0) }
        case .whole(let ranges): [Frame(ranges: ranges)]
        }
    }

    /// Bits of one native frame by the attributes of its image; nil where one is absent or out of range.
    package static func frameBits(_ dataSet: DataSet, _ tag: Tag = .pixelData) -> Int? {
        guard let rows = dataSet.int(.rows), let columns = dataSet.int(.columns) else { return nil }
        return frameBits(
            rows: rows, columns: columns, samples: dataSet.int(.samplesPerPixel) ?? 1,
            allocated: bitsAllocated(dataSet, tag), photometric: dataSet.string(.photometricInterpretation) ?? "")
    }

    /// Bits of one native frame: rows x columns x samples x bits allocated. nil for dimensions of 0 or beyond 65,535,
    /// more than 16 samples a pixel, more than 64 bits allocated, and a frame of more than 2^40 bits. PS3.5 §8.1.1.
    package static func frameBits(
        rows: Int, columns: Int, samples: Int, allocated: Int, photometric: String
    ) -> Int? {
        guard (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns), (1...16).contains(samples),
            (1...64).contains(allocated)
        else { return nil }
        // Two pixels share their chrominance: two samples a pixel. PS3.3 §C.7.6.3.1.2.
        let isHalved = samples == 3 && photometric == "YBR_FULL_422"
        // At most 2^42.
        let bits = rows * columns * allocated * (isHalved ? 2 : samples)
        return bits <= 1 << 40 ? bits : nil
    }

    /// Bits Allocated of the pixels in an element, which those of floating point do not say; 0 when absent.
    package static func bitsAllocated(_ dataSet: DataSet, _ tag: Tag) -> Int {
        switch tag {
        case .floatPixelData: 32
        case .doubleFloatPixelData: 64
        default: dataSet.int(.bitsAllocated) ?? 0
        }
    }

    /// One fragment a frame; else the Extended, else the Basic Offset Table where they agree with the fragments; else
    /// the fragments that begin a codestream. PS3.5 §A.4, PS3.3 §C.7.6.3.1.8.
    private static func encapsulated(
        _ fragments: [PixelDataLocation.Fragment], _ basic: [UInt32], _ dataSet: DataSet, _ count: Int
    ) -> Kind {
        if fragments.count == count { return .encapsulated(fragments.map { [$0.range] }) }
        if count == 1 { return .encapsulated([fragments.map(\.range)]) }
        if let extended = offsets(dataSet.bytes(.extendedOffsetTable)),
            let frames = frames(fragments, startingAt: extended, count)
        {
            return .encapsulated(frames)
        }
        if let frames = frames(fragments, startingAt: basic.map { Int($0) }, count) { return .encapsulated(frames) }
        var frames: [[Range<Int>]] = []
        for fragment in fragments {
            if fragment.startsCodestream {
                frames.append([fragment.range])
            } else if frames.isEmpty {
                break
            } else {
                frames[frames.count - 1].append(fragment.range)
            }
        }
        return frames.count == count ? .encapsulated(frames) : .whole(fragments.map(\.range))
    }

    private static func offsets(_ bytes: [UInt8]?) -> [Int]? {
        guard let bytes, !bytes.isEmpty, bytes.count % 8 == 0 else { return nil }
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            Int(truncatingIfNeeded: littleEndian(bytes[start..<start + 8]))
        }
    }

    /// The fragments of frames that begin at the given offsets from the first item header; nil when the offsets are not
    /// ascending from 0 or one of them is at no fragment.
    private static func frames(
        _ fragments: [PixelDataLocation.Fragment], startingAt offsets: [Int], _ count: Int
    ) -> [[Range<Int>]]? {
        guard offsets.count == count, offsets.first == 0, let first = fragments.first else { return nil }
        var frames: [[Range<Int>]] = []
        for fragment in fragments {
            if frames.count < count, fragment.offset - first.offset == offsets[frames.count] {
                frames.append([fragment.range])
            } else if !frames.isEmpty {
                frames[frames.count - 1].append(fragment.range)
            }
        }
        return frames.count == count ? frames : nil
    }
}
