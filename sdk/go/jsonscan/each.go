package jsonscan

// Each calls f with each value of an array, as it stands, until f returns false.
// It returns false if array is none; f may have been called before.
func Each(array []byte, f func(value []byte) bool) bool {
	i := space(array, 0)
	if i >= len(array) || array[i] != '[' {
		return false
	}
	if i = space(array, i+1); i < len(array) && array[i] == ']' {
		return true
	}
	for {
		start := i
		if i = skip(array, i, 0); i < 0 {
			return false
		}
		if !f(array[start:i:i]) {
			return true
		}
		if i = space(array, i); i >= len(array) || array[i] != ',' {
			return i < len(array) && array[i] == ']'
		}
		i = space(array, i+1)
	}
}
