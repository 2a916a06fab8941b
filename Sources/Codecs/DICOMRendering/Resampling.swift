/// Pictures of another size: each pixel is the mean of the area that it covers where it becomes smaller, and between its
/// neighbours where it becomes larger.
enum Resampling {
    static func resampled(_ image: RenderedImage, _ placement: Placement) throws(RenderingError) -> RenderedImage {
        let whole =
            placement.x == 0 && placement.y == 0 && placement.columns == image.columns
            && placement.rows == image.rows && placement.width == Double(image.columns)
            && placement.height == Double(image.rows)
        if whole, !placement.flipsHorizontally, !placement.flipsVertically { return image }
        let across = Axis(
            from: placement.x, length: placement.width, input: image.columns, output: placement.columns,
            flips: placement.flipsHorizontally)
        let down = Axis(
            from: placement.y, length: placement.height, input: image.rows, output: placement.rows,
            flips: placement.flipsVertically)
        let bytes = scaled(image, across, down)
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

        /// The pixels that are needed.
        var range: Range<Int> {
            var (low, high) = (Int.max, 0)
            for index in first.indices {
                low = min(low, first[index])
                high = max(high, first[index] + start[index + 1] - start[index])
            }
            return low < high ? low..<high : 0..<0
        }
    }

    /// Lines first, then columns.
    private static func scaled(_ image: RenderedImage, _ across: Axis, _ down: Axis) -> [UInt8] {
        let samples = image.samplesPerPixel
        let (columns, rows) = (across.first.count, down.first.count)
        let needed = down.range
        var lines = [Float](repeating: 0, count: needed.count * columns * samples)
        image.bytes.withUnsafeBufferPointer { source in
            lines.withUnsafeMutableBufferPointer { lines in
                across.weights.withUnsafeBufferPointer { weights in
                    for row in needed {
                        let from = row * image.columns * samples
                        var to = (row - needed.lowerBound) * columns * samples
                        for column in 0..<columns {
                            let range = across.start[column]..<across.start[column + 1]
                            for sample in 0..<samples {
                                var at = from + across.first[column] * samples + sample
                                var sum: Float = 0
                                for weight in range {
                                    sum += weights[weight] * Float(source[at])
                                    at += samples
                                }
                                lines[to] = sum
                                to += 1
                            }
                        }
                    }
                }
            }
        }
        let width = columns * samples
        return [UInt8](unsafeUninitializedCapacity: rows * width) { out, filled in
            lines.withUnsafeBufferPointer { lines in
                for row in 0..<rows {
                    let range = down.start[row]..<down.start[row + 1]
                    let first = down.first[row] - needed.lowerBound
                    for column in 0..<width {
                        var sum: Float = 0.5
                        for (offset, weight) in range.enumerated() {
                            sum += down.weights[weight] * lines[(first + offset) * width + column]
                        }
                        out[row * width + column] = UInt8(max(0, min(255, sum)))
                    }
                }
            }
            filled = rows * width
        }
    }
}
