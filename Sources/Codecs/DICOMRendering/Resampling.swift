/// Pictures of another size: each pixel is the mean of the area that it covers where it becomes smaller, and between its
/// neighbours where it becomes larger.
enum Resampling {
    /// - Parameters:
    ///   - image: the frame, or a part of it.
    ///   - placement: in the whole frame.
    ///   - part: what of the frame the image is; nil for the whole.
    ///
    /// Throws `.noImage` where the part has not all pixels that the result is made of.
    static func resampled(
        _ image: RenderedImage, _ placement: Placement, _ part: FramePart? = nil
    ) throws(RenderingError) -> RenderedImage {
        let part = part ?? FramePart(columns: image.columns, rows: image.rows)
        let whole =
            placement.x == 0 && placement.y == 0 && placement.columns == image.columns
            && placement.rows == image.rows && placement.width == Double(image.columns)
            && placement.height == Double(image.rows) && part == FramePart(columns: image.columns, rows: image.rows)
        if whole, !placement.flipsHorizontally, !placement.flipsVertically { return image }
        let across = Axis(
            from: placement.x, length: placement.width, input: part.columns, output: placement.columns,
            flips: placement.flipsHorizontally)
        let down = Axis(
            from: placement.y, length: placement.height, input: part.rows, output: placement.rows,
            flips: placement.flipsVertically)
        guard across.isWithin(part.left..<part.left + image.columns), down.isWithin(part.top..<part.top + image.rows)
        else { throw .noImage }
        let bytes = scaled(image, across, down, part)
        guard
            let scaled = RenderedImage(
                rows: placement.rows, columns: placement.columns, samplesPerPixel: image.samplesPerPixel, bytes: bytes)
        else { throw .tooLarge }
        return scaled
    }

    /// Which pixels of a line each pixel of the result is made of, and by how much: weights that are 1 in sum.
    struct Axis {
        private(set) var first: [Int] = []
        /// Where the weights of each begin; one more at the end.
        private(set) var start: [Int] = [0]
        private(set) var weights: [Float] = []

        init(from: Double, length: Double, input: Int, output: Int, flips: Bool) {
            let step = length / Double(output)
            for place in 0..<output {
                let index = Double(flips ? output - 1 - place : place)
                if step > 1 {
                    area(from + index * step, from + (index + 1) * step, input)
                } else {
                    between(max(from, min(from + length - 1, from + (index + 0.5) * step - 0.5)), input)
                }
                start.append(weights.count)
            }
        }

        private mutating func area(_ low: Double, _ high: Double, _ input: Int) {
            let from = max(0, min(input - 1, Int(low)))
            let to = max(from, min(input - 1, Int(high.rounded(.up)) - 1))
            first.append(from)
            let parts = (from...to).map { max(0, min(high, Double($0 + 1)) - max(low, Double($0))) }
            let sum = parts.reduce(0, +)
            weights += parts.map { sum > 0 ? Float($0 / sum) : 1 / Float(parts.count) }
        }

        private mutating func between(_ place: Double, _ input: Int) {
            let place = max(0, min(Double(input - 1), place))
            let low = Int(place)
            first.append(low)
            let part = Float(place - Double(low))
            if part == 0 || low + 1 >= input { weights.append(1) } else { weights += [1 - part, part] }
        }

        /// Every pixel that the result is made of is one of these.
        func isWithin(_ pixels: Range<Int>) -> Bool {
            first.indices.allSatisfy { place in
                pixels.lowerBound <= first[place]
                    && first[place] + start[place + 1] - start[place] <= pixels.upperBound
            }
        }

        /// Pixels that one of the result is made of, at most.
        var spanMax: Int {
            var most = 1
            for place in first.indices { most = max(most, start[place + 1] - start[place]) }
            return most
        }
    }

    /// Each line is brought to its width once, when the first line of the result needs it; only those that one line of
    /// the result is made of are held.
    private static func scaled(_ image: RenderedImage, _ across: Axis, _ down: Axis, _ part: FramePart) -> [UInt8] {
        let width = across.first.count * image.samplesPerPixel
        let rows = down.first.count
        let slots = down.spanMax
        var held = [Int](repeating: -1, count: slots)
        var lines = [Float](repeating: 0, count: slots * width)
        return [UInt8](unsafeUninitializedCapacity: rows * width) { out, filled in
            image.bytes.withUnsafeBufferPointer { source in
                lines.withUnsafeMutableBufferPointer { lines in
                    for row in 0..<rows {
                        let range = down.start[row]..<down.start[row + 1]
                        for line in down.first[row]..<down.first[row] + range.count where held[line % slots] != line {
                            held[line % slots] = line
                            let target = UnsafeMutableBufferPointer(
                                rebasing: lines[line % slots * width..<(line % slots + 1) * width])
                            let start = (line - part.top) * image.columns - part.left
                            across.scale(source, start, image.samplesPerPixel, to: target)
                        }
                        let target = UnsafeMutableBufferPointer(rebasing: out[row * width..<(row + 1) * width])
                        join(lines, down, row, slots, to: target)
                    }
                }
            }
            filled = rows * width
        }
    }

    /// One line of the result: the weighted sum of the lines it is made of, rounded.
    private static func join(
        _ lines: UnsafeMutableBufferPointer<Float>, _ down: Axis, _ row: Int, _ slots: Int,
        to target: UnsafeMutableBufferPointer<UInt8>
    ) {
        let width = target.count
        let range = down.start[row]..<down.start[row + 1]
        let first = down.first[row]
        if range.count <= 2 {
            let (above, below) = (first % slots * width, (first + range.count - 1) % slots * width)
            let part = range.count == 2 ? down.weights[range.lowerBound + 1] : 0
            for column in 0..<width {
                let value = lines[above + column] + part * (lines[below + column] - lines[above + column])
                target[column] = UInt8(max(0, min(255, value + 0.5)))
            }
            return
        }
        for column in 0..<width {
            var sum: Float = 0.5
            for (offset, weight) in range.enumerated() {
                sum += down.weights[weight] * lines[(first + offset) % slots * width + column]
            }
            target[column] = UInt8(max(0, min(255, sum)))
        }
    }
}

extension Resampling.Axis {
    /// Brings one line of samples to the width of the result.
    ///
    /// - Parameter start: the first pixel of the whole line, in pixels from the first of the image: before the image
    ///   where that is a part.
    fileprivate func scale(
        _ source: UnsafeBufferPointer<UInt8>, _ start: Int, _ samples: Int, to target: UnsafeMutableBufferPointer<Float>
    ) {
        weights.withUnsafeBufferPointer { weights in
            var to = 0
            for place in first.indices {
                let range = self.start[place]..<self.start[place + 1]
                for sample in 0..<samples {
                    var at = (start + first[place]) * samples + sample
                    var sum: Float = 0
                    for weight in range {
                        sum += weights[weight] * Float(source[at])
                        at += samples
                    }
                    target[to] = sum
                    to += 1
                }
            }
        }
    }
}
