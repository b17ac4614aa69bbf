"""The engine's inner loops: functions over arrays that run compiled, or interpreted until they are.

`layout` names the arrays, `tables` has what is known of Unicode. `segment` reads words, `hashing` and `recognise` look
them up, `collect` finds the queries that hang on them, `occurrences` runs the programs of those that need more, `build`
makes an index. `runtime` compiles them all. Inside: no objects, no strings, no calls that hand a tuple on within a
loop, since each of its arrays would be counted as used and unused again.
"""
