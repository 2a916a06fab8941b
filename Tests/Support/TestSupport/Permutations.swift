/// Every order of a list.
package func permutations(of list: [Int]) -> [[Int]] {
    guard list.count > 1 else { return [list] }
    return list.indices.flatMap { index -> [[Int]] in
        var rest = list
        let first = rest.remove(at: index)
        return permutations(of: rest).map { [first] + $0 }
    }
}
